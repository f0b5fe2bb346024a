/** The TLS files of the doors: read at start, and again when they change. */

import { constants } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { createSecureContext, type SecureContextOptions, type Server } from 'node:tls'

/** The paths of PEM files. */
export interface TlsFiles {
  /** The server's certificate, and the intermediate ones after it. */
  readonly certificate: string
  /** The private key of the certificate. */
  readonly key: string
  /** The certificates that client certificates are held against. */
  readonly clientCa: string
}

/** What keeping TLS fresh needs. */
export interface FreshTlsSettings {
  readonly tls: TlsFiles
  /** How often the files are looked at; every minute unless given. */
  readonly tlsIntervalMs?: number
}

type Log = (level: 'info' | 'error', message: string, fields?: object) => void

// What TLS 1.2 still has that is sound; TLS 1.3 has its own.
const CIPHERS = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_AES_128_GCM_SHA256',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

/**
 * Reads the files.
 *
 * @throws Error when one cannot be read or they do not belong together.
 */
export function readTls({ certificate, key, clientCa }: TlsFiles): SecureContextOptions {
  const options: SecureContextOptions = {
    cert: readFileSync(certificate),
    key: readFileSync(key),
    ca: readFileSync(clientCa),
    minVersion: 'TLSv1.2',
    ciphers: CIPHERS,
    honorCipherOrder: true,
    // A resumed session would not be held against a CA that has changed since.
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  }
  createSecureContext(options)
  return options
}

/**
 * Looks at the files from time to time, and takes what has changed for the connections to come.
 * Files that cannot be used are logged once and the ones before stay.
 *
 * @returns how to stop it.
 */
export function keepTlsFresh(server: Server, settings: FreshTlsSettings, log: Log): () => void {
  let seen = fingerprint(settings.tls)
  const timer = setInterval(() => {
    const now = fingerprint(settings.tls)
    if (now === seen) return
    seen = now
    try {
      server.setSecureContext(readTls(settings.tls))
      log('info', 'TLS files have changed and are in use')
    } catch (error) {
      log('error', 'TLS files have changed and cannot be used', { cause: String(error) })
    }
  }, settings.tlsIntervalMs ?? 60_000)
  timer.unref()
  return () => clearInterval(timer)
}

function fingerprint(files: TlsFiles): string {
  const seen = [files.certificate, files.key, files.clientCa].map((path) => {
    try {
      const { ino, size, mtimeMs } = statSync(path)
      return `${ino} ${size} ${mtimeMs}`
    } catch (error) {
      return String(error)
    }
  })
  return seen.join()
}

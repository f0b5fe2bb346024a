/**
 * A certificate authority of an installation's own: with it a first start has TLS on both ends
 * without anybody having to make a certificate. In production, certificates come from elsewhere.
 */

import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
  X509Certificate,
} from 'node:crypto'
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import {
  authorityExtensions,
  endEntityExtensions,
  type SubjectName,
  signCertificate,
} from './certificate.ts'

/** The trust domain unless another is given. */
export const DEFAULT_TRUST_DOMAIN = 'keyslot'

/** What an authority is to know. */
export interface AuthoritySettings {
  /** The SPIFFE trust domain of the client certificates; `keyslot` unless given. */
  readonly trustDomain?: string
  /** The account whose root gets a client certificate: twelve digits. */
  readonly account: string
  /** Names and addresses of the server beside localhost, 127.0.0.1 and ::1. */
  readonly serverNames?: readonly string[]
  /** How long its certificates are valid; 365 days unless given, and never longer than the CA. */
  readonly validityMs?: number
  /** Milliseconds since the epoch. */
  readonly clock: () => number
}

/** The paths of a certificate and its private key, both PEM. */
export interface KeyPairFiles {
  readonly certificate: string
  readonly privateKey: string
}

/** Where everything is. */
export interface Authority {
  /** The path of the certificate that clients and server trust. */
  readonly ca: string
  readonly server: KeyPairFiles
  /** The client certificate of the account's root. */
  readonly root: KeyPairFiles
}

/** A certificate and its private key, both PEM. */
export interface IssuedCertificate {
  readonly certificate: string
  readonly privateKey: string
}

const AUTHORITY_NAME = 'keyslot development CA'
const DAY_MS = 86_400_000
const AUTHORITY_VALIDITY_MS = 3650 * DAY_MS
const END_ENTITY_VALIDITY_MS = 365 * DAY_MS
const RENEW_BEFORE_MS = 30 * DAY_MS
// A clock that is behind ours would find a certificate of this moment not yet valid.
const CLOCK_SKEW_MS = 5 * 60_000

/**
 * Makes what is missing under `<directory>/tls` and renews what is within 30 days of its end, does
 * not belong together or names another server or account. What is sound stays as it is.
 *
 * @throws Error when the CA has expired, or its key is gone and a certificate is to be made.
 */
export function ensureAuthority(directory: string, settings: AuthoritySettings): Authority {
  const tls = join(directory, 'tls')
  mkdirSync(tls, { recursive: true })
  const { account, trustDomain = DEFAULT_TRUST_DOMAIN, ...time } = settings
  ensureCa(tls, time.clock)
  const hosts = ['localhost', '127.0.0.1', '::1', ...(settings.serverNames ?? [])]
  const server = ensureEndEntity(tls, 'server', time, {
    commonName: 'keyslot server',
    side: 'server',
    names: [...new Set(hosts)].map((host) => ({ host })),
  })
  const root = ensureEndEntity(tls, 'root', time, {
    commonName: `root of ${account}`,
    side: 'client',
    names: [{ uri: rootSpiffeId(trustDomain, account) }],
  })
  return { ca: join(tls, 'ca.pem'), server, root }
}

/** The SPIFFE ID of an account's root. */
export function rootSpiffeId(trustDomain: string, account: string): string {
  return `spiffe://${trustDomain}/account/${account}/root`
}

/** What a client certificate is to say. */
export interface ClientCertificateRequest {
  /** `spiffe://<trust domain>/account/<account>/root`, `…/user/<name>`, `…/role/<name>/<session>`. */
  readonly spiffeId: string
  /** How long it is valid; 365 days unless given, and never longer than the CA. */
  readonly validityMs?: number
  /** Milliseconds since the epoch. */
  readonly clock: () => number
}

/**
 * Issues a client certificate from the authority under `<directory>/tls`, with a new key.
 *
 * @throws Error when there is no authority, or its key is gone.
 */
export function issueClientCertificate(
  directory: string,
  { spiffeId, validityMs, clock }: ClientCertificateRequest,
): IssuedCertificate {
  const subject = {
    commonName: spiffeId.slice(-64),
    side: 'client',
    names: [{ uri: spiffeId }],
  } as const
  return issue(join(directory, 'tls'), subject, clock, validityMs)
}

/** What an end entity certificate says. */
interface Subject {
  readonly commonName: string
  readonly side: 'server' | 'client'
  readonly names: readonly SubjectName[]
}

function ensureCa(tls: string, clock: () => number): void {
  const certificate = join(tls, 'ca.pem')
  const privateKey = join(tls, 'ca-key.pem')
  if (existsSync(certificate)) {
    const { validToDate } = new X509Certificate(readFileSync(certificate))
    if (validToDate.getTime() > clock()) return
    throw new Error(`The CA in ${certificate} has expired: remove ${tls} to make a new one.`)
  }
  // A key without its certificate is a start that was cut short, or another that is under way.
  if (!existsSync(privateKey)) createFile(privateKey, newPrivateKeyPem())
  const key = createPrivateKey(readFileSync(privateKey))
  const pem = signCertificate(
    {
      commonName: AUTHORITY_NAME,
      publicKey: createPublicKey(key),
      notBefore: new Date(clock() - CLOCK_SKEW_MS),
      notAfter: new Date(clock() + AUTHORITY_VALIDITY_MS),
      extensions: authorityExtensions(),
    },
    { commonName: AUTHORITY_NAME, privateKey: key },
  )
  createFile(certificate, pem)
}

function ensureEndEntity(
  tls: string,
  name: string,
  { clock, validityMs }: Pick<AuthoritySettings, 'clock' | 'validityMs'>,
  subject: Subject,
): KeyPairFiles {
  const files = {
    certificate: join(tls, `${name}.pem`),
    privateKey: join(tls, `${name}-key.pem`),
  }
  if (isSound(tls, files, clock, subject)) return files
  const issued = issue(tls, subject, clock, validityMs)
  // The key goes first: a certificate that does not fit its key is renewed at the next start.
  replaceFile(files.privateKey, issued.privateKey)
  replaceFile(files.certificate, issued.certificate)
  return files
}

function isSound(tls: string, files: KeyPairFiles, clock: () => number, subject: Subject): boolean {
  if (!existsSync(files.certificate) || !existsSync(files.privateKey)) return false
  const certificate = new X509Certificate(readFileSync(files.certificate))
  const ca = new X509Certificate(readFileSync(join(tls, 'ca.pem')))
  return (
    certificate.validToDate.getTime() - clock() > RENEW_BEFORE_MS &&
    certificate.verify(ca.publicKey) &&
    certificate.checkPrivateKey(createPrivateKey(readFileSync(files.privateKey))) &&
    subject.names.every((name) => carries(certificate, name))
  )
}

function carries(certificate: X509Certificate, name: SubjectName): boolean {
  if ('uri' in name) return certificate.subjectAltName === `URI:${name.uri}`
  return isIP(name.host)
    ? certificate.checkIP(name.host) !== undefined
    : certificate.checkHost(name.host, { subject: 'never' }) !== undefined
}

function issue(
  tls: string,
  { commonName, side, names }: Subject,
  clock: () => number,
  validityMs = END_ENTITY_VALIDITY_MS,
): IssuedCertificate {
  const ca = new X509Certificate(readFileSync(join(tls, 'ca.pem')))
  const notAfterMs = Math.min(clock() + validityMs, ca.validToDate.getTime())
  const privateKey = newPrivateKeyPem()
  const certificate = signCertificate(
    {
      commonName,
      publicKey: createPublicKey(privateKey),
      notBefore: new Date(clock() - CLOCK_SKEW_MS),
      notAfter: new Date(notAfterMs),
      extensions: endEntityExtensions(side, names),
    },
    { commonName: AUTHORITY_NAME, privateKey: caKey(tls) },
  )
  return { certificate, privateKey }
}

function caKey(tls: string): KeyObject {
  const path = join(tls, 'ca-key.pem')
  if (!existsSync(path)) {
    throw new Error(`A certificate is to be made, but the key of the CA is not in ${path}.`)
  }
  return createPrivateKey(readFileSync(path))
}

function newPrivateKeyPem(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** Puts a file in place whole; a file that another process has put there meanwhile stays. */
function createFile(path: string, text: string): void {
  const temporary = writeTemporary(path, text)
  try {
    linkSync(temporary, path)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  } finally {
    rmSync(temporary)
  }
}

/** Puts a file in place whole, over the one that may be there. */
function replaceFile(path: string, text: string): void {
  renameSync(writeTemporary(path, text), path)
}

function writeTemporary(path: string, text: string): string {
  const temporary = `${path}.${randomUUID()}`
  const mode = path.endsWith('-key.pem') ? 0o600 : 0o644
  writeFileSync(temporary, text, { mode, flag: 'wx', flush: true })
  return temporary
}

/** Where the service is and as whom to speak to it: from options, the environment, or its home. */

import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { ClientSettings } from '../client/client.ts'
import { ConfigError, loadLocation } from '../config.ts'
import type { Address } from '../settings.ts'
import { CliError, EXIT } from './exit.ts'

/** The options that say so. */
export interface ConnectionOptions {
  readonly endpoint?: string
  /** Where AWS's protocol is served: `http://host:port`, or `https://`. */
  readonly awsEndpoint?: string
  readonly ca?: string
  readonly certificate?: string
  readonly privateKey?: string
  readonly tokenFile?: string
  readonly tokenRoleArn?: string
  readonly home?: string
  readonly config?: string
  readonly timeoutMs?: number
}

/** Where the service is, and the files that let one in. */
export interface Location {
  readonly home: string
  readonly endpoint: string
  readonly ca: string
  readonly certificate: string
  readonly privateKey: string
  /** The file of a JSON Web Token that goes before the certificate, and the role to call as. */
  readonly token: { readonly file: string; readonly roleArn: string | undefined } | undefined
  /** Where AWS's clients reach it, and with which Region. */
  readonly aws: { readonly endpoint: string; readonly region: string }
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Finds the service. An option goes before the environment; `--home` goes before certificates
 * that the environment names, since they would be another service's.
 *
 * @throws CliError for settings that are not usable.
 */
export function locate(options: ConnectionOptions, environment: Environment): Location {
  const { home, grpcListen, awsListen, awsTls, region } = location(options, environment)
  const named = options.home === undefined ? environment : {}
  const tls = (file: string) => join(home, 'tls', file)
  // A certificate that is asked for is not put aside for a token of the environment.
  const tokenFile = options.tokenFile || (!options.certificate && named.KEYSLOT_TOKEN_FILE)
  const roleArn = options.tokenRoleArn || named.KEYSLOT_TOKEN_ROLE_ARN || undefined
  return {
    home,
    endpoint: options.endpoint || environment.KEYSLOT_ENDPOINT || reachable(grpcListen),
    ca: resolve(options.ca || named.KEYSLOT_CA || tls('ca.pem')),
    certificate: resolve(options.certificate || named.KEYSLOT_CERTIFICATE || tls('root.pem')),
    privateKey: resolve(options.privateKey || named.KEYSLOT_PRIVATE_KEY || tls('root-key.pem')),
    token: tokenFile ? { file: resolve(tokenFile), roleArn } : undefined,
    aws: {
      endpoint: options.awsEndpoint || `${awsTls ? 'https' : 'http'}://${reachable(awsListen)}`,
      region,
    },
  }
}

/**
 * Reads what a client needs.
 *
 * @throws CliError when a file cannot be read.
 */
export function clientSettings(location: Location, deadlineMs?: number): ClientSettings {
  const { endpoint, token } = location
  const server = { endpoint, ca: readCredential(location.ca, 'KEYSLOT_CA'), deadlineMs }
  if (token !== undefined) {
    const shown = readCredential(token.file, 'KEYSLOT_TOKEN_FILE').toString()
    return { ...server, token: () => shown, roleArn: token.roleArn }
  }
  return {
    ...server,
    certificate: readCredential(location.certificate, 'KEYSLOT_CERTIFICATE'),
    privateKey: readCredential(location.privateKey, 'KEYSLOT_PRIVATE_KEY'),
  }
}

function location({ home, config }: ConnectionOptions, environment: Environment) {
  try {
    return loadLocation({ flags: { home, config }, environment, cwd: process.cwd() })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new CliError(EXIT.configuration, error.message, { cause: error })
  }
}

/** Where a service that listens there is reached: one that listens everywhere, on this machine. */
export function reachable({ host, port }: Address): string {
  if (host === '0.0.0.0') return `127.0.0.1:${port}`
  if (host === '::') return `[::1]:${port}`
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function readCredential(path: string, variable: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new CliError(
      EXIT.configuration,
      `cannot read ${path} (${code}): name another file in ${variable}, or the service's home ` +
        'with --home; `npm start` makes the first credentials there',
      { cause: error },
    )
  }
}

/** `keyslot env`: the variables by which clients find the service, for `eval` in a shell. */

import { type ConnectionOptions, locate } from './connection.ts'

/** The lines to evaluate, for POSIX shells. */
export function environmentLines(
  options: ConnectionOptions,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const { home, endpoint, ca, certificate, privateKey } = locate(options, environment)
  const variables = {
    KEYSLOT_HOME: home,
    KEYSLOT_ENDPOINT: endpoint,
    KEYSLOT_CA: ca,
    KEYSLOT_CERTIFICATE: certificate,
    KEYSLOT_PRIVATE_KEY: privateKey,
  }
  return Object.entries(variables)
    .map(([name, value]) => `export ${name}=${shellQuoted(value)}\n`)
    .join('')
}

/** In single quotes, within which a shell reads nothing but the next one. */
export function shellQuoted(text: string): string {
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

/** `keyslot env`: the variables by which clients find the service, for `eval` in a shell. */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ConnectionOptions, type Location, locate } from './connection.ts'

type Variables = Readonly<Record<string, string>>

/** The lines to evaluate, for POSIX shells. */
export function environmentLines(
  options: ConnectionOptions,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const location = locate(options, environment)
  const { home, endpoint, ca, certificate, privateKey, token } = location
  const variables = {
    KEYSLOT_HOME: home,
    KEYSLOT_ENDPOINT: endpoint,
    KEYSLOT_CA: ca,
    KEYSLOT_CERTIFICATE: certificate,
    KEYSLOT_PRIVATE_KEY: privateKey,
    ...(token && { KEYSLOT_TOKEN_FILE: token.file }),
    ...(token?.roleArn && { KEYSLOT_TOKEN_ROLE_ARN: token.roleArn }),
    ...awsVariables(location),
  }
  const exports = Object.entries(variables)
    .map(([name, value]) => `export ${name}=${shellQuoted(value)}\n`)
    .join('')
  // What belongs to other credentials would go with these, or before them.
  return 'AWS_ACCESS_KEY_ID' in variables
    ? `${exports}unset AWS_SESSION_TOKEN AWS_PROFILE\n`
    : exports
}

/**
 * What AWS's CLIs and SDKs read.
 * https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html
 */
function awsVariables({ home, ca, aws }: Location): Variables {
  return {
    AWS_ENDPOINT_URL_KMS: aws.endpoint,
    AWS_ENDPOINT_URL_STS: aws.endpoint,
    AWS_REGION: aws.region,
    // Older ones know only this one.
    AWS_DEFAULT_REGION: aws.region,
    ...(aws.endpoint.startsWith('https:') && { AWS_CA_BUNDLE: ca }),
    ...credentialsIn(join(home, 'credentials')),
  }
}

/** The access key of the profile `default` in a file of credentials, if there is one. */
function credentialsIn(path: string): Variables {
  if (!existsSync(path)) return {}
  const found = new Map<string, string>()
  let profile = ''
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const [, section] = /^\s*\[\s*(.+?)\s*\]/.exec(line) ?? []
    profile = section ?? profile
    const [, name = '', value = ''] = /^\s*(\w+)\s*=\s*(\S*)/.exec(line) ?? []
    if (profile === 'default') found.set(name, value)
  }
  const id = found.get('aws_access_key_id')
  const secret = found.get('aws_secret_access_key')
  return id && secret ? { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret } : {}
}

/** In single quotes, within which a shell reads nothing but the next one. */
export function shellQuoted(text: string): string {
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

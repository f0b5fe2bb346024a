/**
 * What the Authorization header claims: an access key, a scope, the headers that are signed and a
 * signature. AWS's own words where something is missing.
 */

import { fail } from '../../../model/failures.ts'
import { ALGORITHM } from './canonical.ts'
import { type Headers, type SignedRequest, single } from './request.ts'

/** What a service expects of requests to it. */
export interface Expectations {
  /** The Regions that the scope may name. */
  readonly regions: readonly string[]
  /** The service in the scope: `kms`. */
  readonly service: string
  /** Headers that have to be there, and signed. */
  readonly signed: readonly string[]
  /** Headers that have to be signed if they are there. */
  readonly signedIfPresent: readonly string[]
  /** Whether headers that are signed may be sent more than once. */
  readonly repeatedHeaders: boolean
  /** Whether the path is normalised; every service but S3 does. */
  readonly normalisePath: boolean
  /** How far the time of a request may be from ours, either way, in milliseconds. */
  readonly clockSkewMs: number
}

/** What a request claims, before anything is proved. */
export interface Claim {
  readonly accessKeyId: string
  /** `x-amz-security-token`, of temporary credentials. */
  readonly sessionToken: string | undefined
  /** `<date>/<region>/<service>/aws4_request`. */
  readonly scope: string
  /** `x-amz-date`: `20150830T123600Z`. */
  readonly timestamp: string
  readonly signedHeaders: readonly string[]
  /** 32 bytes. */
  readonly signature: Buffer
}

/** What an Authorization header says before its signature: the same for a client all day. */
interface Parameters {
  /** Between slashes; of another number than five if it is malformed. */
  readonly credential: readonly string[]
  readonly signedHeaders: readonly string[]
}

const TIMESTAMP = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/
const DATE_LENGTH = 8
const SIGNATURE = /^[0-9a-f]{64}$/
const ACCESS_KEY_ID = /^\w{1,128}$/
const SHOWN_LENGTH_MAX = 256
const MINUTE_MS = 60_000
const SIGNATURE_LENGTH = 64
const LAST_IS_SIGNATURE = /,\s*Signature=$/
/** How many are held of what clients say before their signatures, and how long one may be. */
const PARAMETERS_HELD = 1024
const PARAMETERS_LENGTH_MAX = 512

/**
 * Reads what a request claims, and refuses what no signature could make good: another scope, a time
 * that is too far from ours, headers that are not signed, a body that is not.
 *
 * @throws KmsError MissingAuthenticationTokenException, IncompleteSignatureException or
 *   InvalidSignatureException.
 */
export function readClaim(request: SignedRequest, expected: Expectations, nowMs: number): Claim {
  const { headers } = request
  if (!headers.has('authorization')) {
    fail('MissingAuthenticationTokenException', 'Missing Authentication Token')
  }
  const authorization = single(headers, 'authorization')
  if (authorization === undefined) incomplete('The Authorization header was sent more than once.')
  const { credential, signedHeaders, signature } = knownParameters(authorization)
  const timestamp = single(headers, 'x-amz-date')
  if (timestamp === undefined || !TIMESTAMP.test(timestamp)) {
    incomplete("Authorization header requires existence of one 'X-Amz-Date' header.")
  }
  const { accessKeyId, scope } = readCredential(credential, timestamp, expected)
  checkTime(timestamp, nowMs, expected.clockSkewMs)
  checkSignedHeaders(headers, signedHeaders, expected)
  checkBodyClaim(headers)
  const sessionToken = single(headers, 'x-amz-security-token')
  return { accessKeyId, sessionToken, scope, timestamp, signedHeaders, signature }
}

const held = new Map<string, Parameters>()

/** Reading them costs as much as the signature itself, and nothing in them is believed yet. */
function knownParameters(authorization: string): Parameters & { readonly signature: Buffer } {
  const at = authorization.length - SIGNATURE_LENGTH
  const before = authorization.slice(0, at)
  const known = held.get(before)
  const hex = authorization.slice(at)
  if (known && SIGNATURE.test(hex)) return { ...known, signature: Buffer.from(hex, 'hex') }
  const { signature, ...read } = readParameters(authorization)
  // Otherwise the rest is not the signature, or not all of it.
  if (before.length <= PARAMETERS_LENGTH_MAX && LAST_IS_SIGNATURE.test(before)) {
    held.set(before, read)
    const [oldest] = held.keys()
    if (held.size > PARAMETERS_HELD && oldest !== undefined) held.delete(oldest)
  }
  return { ...read, signature }
}

function readParameters(authorization: string) {
  const [algorithm = '', rest = ''] = divided(authorization.trim(), ' ')
  if (algorithm !== ALGORITHM) incomplete(`Unsupported AWS 'algorithm': '${shown(algorithm)}'.`)
  const given = new Map<string, string>()
  for (const parameter of rest.split(',').map((each) => each.trim())) {
    const [name, value] = divided(parameter, '=')
    if (value === undefined) {
      incomplete(
        `'${shown(parameter)}' not a valid key=value pair (missing equal-sign) in Authorization ` +
          'header.',
      )
    }
    if (given.has(name)) incomplete(`Authorization header has '${shown(name)}' more than once.`)
    given.set(name, value)
  }
  const missing = ['Credential', 'Signature', 'SignedHeaders'].filter((name) => !given.get(name))
  if (missing.length > 0) {
    incomplete(
      missing.map((name) => `Authorization header requires '${name}' parameter.`).join(' '),
    )
  }
  const signature = given.get('Signature') ?? ''
  if (!SIGNATURE.test(signature)) invalid(MISMATCH)
  return {
    credential: (given.get('Credential') ?? '').split('/'),
    signedHeaders: (given.get('SignedHeaders') ?? '').split(';'),
    signature: Buffer.from(signature, 'hex'),
  }
}

function readCredential(
  parts: readonly string[],
  timestamp: string,
  { regions, service }: Expectations,
) {
  const [accessKeyId = '', date = '', region = '', forService, term] = parts
  if (parts.length !== 5) {
    incomplete(
      'Credential must have exactly 5 slash-delimited elements, e.g. ' +
        `keyid/date/region/service/term, got '${shown(parts.join('/'))}'`,
    )
  }
  const wrong: string[] = []
  if (!regions.includes(region)) {
    wrong.push(`Credential should be scoped to a valid Region, not '${shown(region)}'.`)
  }
  if (forService !== service) {
    wrong.push(`Credential should be scoped to correct service: '${service}'.`)
  }
  if (term !== 'aws4_request') {
    wrong.push("Credential should be scoped with a valid terminator: 'aws4_request'.")
  }
  const day = timestamp.slice(0, DATE_LENGTH)
  if (date !== day) {
    wrong.push(
      'Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from ' +
        `HTTP: '${shown(date)}' != '${day}', from '${timestamp}'.`,
    )
  }
  if (wrong.length > 0) invalid(wrong.join(' '))
  if (!ACCESS_KEY_ID.test(accessKeyId)) unrecognised()
  return { accessKeyId, scope: `${day}/${region}/${service}/aws4_request` }
}

let lastTimestamp = ''
let lastTimeMs = Number.NaN

/** Milliseconds since the epoch; many requests have the same second. */
function timeOf(timestamp: string): number {
  if (timestamp === lastTimestamp) return lastTimeMs
  const [, year, month, day, hour, minute, second] = TIMESTAMP.exec(timestamp) ?? []
  lastTimeMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  lastTimestamp = timestamp
  return lastTimeMs
}

function checkTime(timestamp: string, nowMs: number, skewMs: number): void {
  const timeMs = timeOf(timestamp)
  if (Number.isNaN(timeMs)) incomplete(`'${timestamp}' is not a time.`)
  const minutes = skewMs / MINUTE_MS
  if (timeMs < nowMs - skewMs) {
    invalid(
      `Signature expired: ${timestamp} is now earlier than ${compact(nowMs - skewMs)} ` +
        `(${compact(nowMs)} - ${minutes} min.)`,
    )
  }
  if (timeMs > nowMs + skewMs) {
    invalid(
      `Signature not yet current: ${timestamp} is still later than ${compact(nowMs + skewMs)} ` +
        `(${compact(nowMs)} + ${minutes} min.)`,
    )
  }
}

function checkSignedHeaders(
  headers: Headers,
  signedHeaders: readonly string[],
  { signed, signedIfPresent, repeatedHeaders }: Expectations,
): void {
  for (const [at, name] of signedHeaders.entries()) {
    const values = headers.get(name)
    if (values === undefined || (at > 0 && (signedHeaders[at - 1] ?? '') >= name)) {
      invalid("'SignedHeaders' must name headers of the request, in lower case and sorted.")
    }
    if (values.length > 1 && !repeatedHeaders) {
      invalid(`The header '${name}' is signed and was sent more than once.`)
    }
  }
  const isUnsigned = (name: string) => !signedHeaders.includes(name)
  const isSentUnsigned = (name: string) => isUnsigned(name) && headers.has(name)
  if (!signed.some(isUnsigned) && !signedIfPresent.some(isSentUnsigned)) return
  const unsigned = [...signed.filter(isUnsigned), ...signedIfPresent.filter(isSentUnsigned)]
  const names = unsigned.map((name) => `'${name}'`).join(', ')
  invalid(`${names} must be a 'SignedHeader' in the AWS Authorization.`)
}

/** `UNSIGNED-PAYLOAD`, `STREAMING-…` and the hash of something else. */
function checkBodyClaim(headers: Headers): void {
  if (!headers.has('x-amz-content-sha256')) return
  const claimed = single(headers, 'x-amz-content-sha256')
  if (claimed === undefined || !SIGNATURE.test(claimed)) {
    invalid("The body must be signed: 'x-amz-content-sha256' must be its SHA-256.")
  }
}

const MISMATCH =
  'The request signature we calculated does not match the signature you provided. Check your AWS ' +
  'Secret Access Key and signing method. Consult the service documentation for details.'

/** @throws KmsError InvalidSignatureException: the signature is not that of the request. */
export function mismatch(): never {
  invalid(MISMATCH)
}

/** @throws KmsError UnrecognizedClientException: there is no such access key. */
export function unrecognised(): never {
  fail('UnrecognizedClientException', 'The security token included in the request is invalid.')
}

function incomplete(message: string): never {
  fail('IncompleteSignatureException', message)
}

function invalid(message: string): never {
  fail('InvalidSignatureException', message)
}

function compact(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:]|\.\d{3}/g, '')
}

/** The text before a separator, and the one behind it if there is one. */
function divided(text: string, separator: string): readonly [string, string?] {
  const at = text.indexOf(separator)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}

function shown(text: string): string {
  return text.slice(0, SHOWN_LENGTH_MAX).toWellFormed()
}

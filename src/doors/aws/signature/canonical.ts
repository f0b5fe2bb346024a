/**
 * The canonical form of a request and the string to sign, as Signature Version 4 has them.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */

import { hash } from 'node:crypto'
import type { Headers, SignedRequest } from './request.ts'

/** The algorithm, as the Authorization header and the string to sign name it. */
export const ALGORITHM = 'AWS4-HMAC-SHA256'

/**
 * The canonical request.
 *
 * @param signedHeaders names in lower case, sorted.
 * @param normalise whether `.`, `..` and empty segments of the path are resolved: every service
 *   but S3 does.
 */
export function canonicalRequest(
  { method, target, headers, body }: SignedRequest,
  signedHeaders: readonly string[],
  normalise = true,
): string {
  const question = target.indexOf('?')
  const path = question < 0 ? target : target.slice(0, question)
  const query = question < 0 ? '' : target.slice(question + 1)
  let lines = ''
  for (const name of signedHeaders) lines += `${name}:${canonicalValue(headers, name)}\n`
  return (
    `${method}\n${canonicalPath(path, normalise)}\n${canonicalQuery(query)}\n${lines}\n` +
    `${signedHeaders.join(';')}\n${hash('sha256', body, 'hex')}`
  )
}

/** The string that the signature is made of; `scope` is `<date>/<region>/<service>/aws4_request`. */
export function stringToSign(timestamp: string, scope: string, canonical: string): string {
  return `${ALGORITHM}\n${timestamp}\n${scope}\n${hash('sha256', canonical, 'hex')}`
}

/** The values of a header, each trimmed and with one space for every run of them. */
function canonicalValue(headers: Headers, name: string): string {
  const values = headers.get(name) ?? []
  return values.map((value) => value.trim().replace(/\s+/g, ' ')).join(',')
}

function canonicalPath(path: string, normalise: boolean): string {
  if (path === '/' || path === '') return '/'
  const segments = path.split('/').slice(1)
  const kept: string[] = []
  for (const segment of segments) {
    if (normalise && segment === '..') kept.pop()
    else if (!normalise || (segment !== '.' && segment !== '')) kept.push(segment)
  }
  const last = segments.at(-1) ?? ''
  const isFolder = normalise && kept.length > 0 && ['', '.', '..'].includes(last)
  // What is sent is encoded already; services but S3 have it encoded once more.
  return `/${kept.map(encoded).join('/')}${isFolder ? '/' : ''}`
}

function canonicalQuery(query: string): string {
  if (query === '') return ''
  const pairs = query.split('&').map((pair): readonly [string, string] => {
    const equals = pair.indexOf('=')
    const name = equals < 0 ? pair : pair.slice(0, equals)
    return [reencoded(name), equals < 0 ? '' : reencoded(pair.slice(equals + 1))]
  })
  return pairs
    .toSorted(([a, x], [b, y]) => order(a, b) || order(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

function order(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}

/** Percent-encoding of all but unreserved characters (RFC 3986), of text that is encoded or not. */
function reencoded(text: string): string {
  try {
    return encoded(decodeURIComponent(text))
  } catch {
    return encoded(text)
  }
}

function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

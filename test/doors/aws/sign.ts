/**
 * Signs requests to the AWS door, and sends them: for what no SDK would send. Written from the
 * description of Signature Version 4 alone, apart from the verifier.
 */

import { createHash, createHmac } from 'node:crypto'
import { type Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http'

/** An access key that the tests know. */
export interface AccessKey {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** A request before it is signed. */
export interface Unsigned {
  /** Without it there is no `x-amz-target`. */
  readonly operation?: string
  readonly body: string | Buffer
  readonly host: string
  readonly timeMs: number
  readonly region?: string
  readonly service?: string
  /** More headers, or others; they are signed. */
  readonly headers?: Readonly<Record<string, string>>
}

/** A request that can be sent: headers in lower case. */
export interface Signed {
  readonly headers: Record<string, string>
  readonly body: Buffer
}

/** Signs a POST to `/`. */
export function sign(key: AccessKey, unsigned: Unsigned): Signed {
  const { operation, host, timeMs, region = 'eu-central-1', service = 'kms' } = unsigned
  const body = Buffer.from(unsigned.body)
  const timestamp = new Date(timeMs).toISOString().replace(/[-:]|\.\d{3}/g, '')
  const scope = `${timestamp.slice(0, 8)}/${region}/${service}/aws4_request`
  const headers: Record<string, string> = {
    host,
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-date': timestamp,
    ...(operation === undefined ? {} : { 'x-amz-target': `TrentService.${operation}` }),
    ...(key.sessionToken === undefined ? {} : { 'x-amz-security-token': key.sessionToken }),
    ...unsigned.headers,
  }
  const names = Object.keys(headers).toSorted()
  const canonical = [
    'POST',
    '/',
    '',
    ...names.map((name) => `${name}:${headers[name]}`),
    '',
    names.join(';'),
    sha256(body),
  ].join('\n')
  const toSign = ['AWS4-HMAC-SHA256', timestamp, scope, sha256(canonical)].join('\n')
  const signingKey = scope
    .split('/')
    .reduce<Buffer>((last, part) => hmac(last, part), Buffer.from(`AWS4${key.secretAccessKey}`))
  headers.authorization =
    `AWS4-HMAC-SHA256 Credential=${key.accessKeyId}/${scope}, ` +
    `SignedHeaders=${names.join(';')}, Signature=${hmac(signingKey, toSign).toString('hex')}`
  return { headers, body }
}

/** What the door answered. */
export interface Answered {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The body, read as JSON; an empty one is an empty object. */
  readonly json: Readonly<Record<string, unknown>>
}

/** How a request is sent. */
export interface SendOptions {
  readonly method?: string
  readonly path?: string
  readonly agent?: Agent
}

/** Sends a request over plain HTTP. */
export function send(
  endpoint: string,
  { headers, body }: Signed,
  { method = 'POST', path = '/', agent }: SendOptions = {},
): Promise<Answered> {
  const { promise, resolve, reject } = Promise.withResolvers<Answered>()
  const { hostname, port } = new URL(endpoint)
  const outgoing = httpRequest({ hostname, port, method, path, headers, agent }, (incoming) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk) => chunks.push(chunk))
    incoming.on('end', () => {
      const text = Buffer.concat(chunks).toString()
      const { statusCode = 0, headers: received } = incoming
      const isJson = received['content-type']?.includes('json') && text !== ''
      resolve({ status: statusCode, headers: received, text, json: isJson ? JSON.parse(text) : {} })
    })
    incoming.on('error', reject)
  })
  outgoing.on('error', reject)
  outgoing.end(body)
  return promise
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}

function hmac(key: Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest()
}

/**
 * The cases of Signature Version 4 that AWS's own C library is tested with, verified from the
 * server's side: https://github.com/awslabs/aws-c-auth/tree/main/tests/aws-signing-test-suite/v4
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { canonicalRequest, stringToSign } from '../../../src/doors/aws/signature/canonical.ts'
import { readClaim } from '../../../src/doors/aws/signature/claim.ts'
import type { SignedRequest } from '../../../src/doors/aws/signature/request.ts'
import { createVerifier } from '../../../src/doors/aws/signature/verify.ts'

const FOLDER = resolve(import.meta.dirname, '../../../../shared/vectors/sigv4')
const COUNT = 38
const isThere = existsSync(FOLDER)
if (!isThere) console.warn(`SKIPPED: the cases of Signature Version 4 are not in ${FOLDER}`)

interface Context {
  readonly credentials: { readonly access_key_id: string; readonly secret_access_key: string }
  readonly normalize: boolean
  readonly region: string
  readonly service: string
  readonly timestamp: string
}

describe.skipIf(!isThere)('a case of aws-c-auth', () => {
  const names = isThere
    ? readdirSync(FOLDER, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => name)
    : []

  test('is one of 38', () => expect(names).toHaveLength(COUNT))

  test.each(names)('%s is verified', async (name) => {
    const read = (file: string) => readFileSync(join(FOLDER, name, file), 'utf8')
    const context: Context = JSON.parse(read('context.json'))
    const { credentials, normalize, region, service, timestamp } = context
    const request = parseRequest(read('header-signed-request.txt'))
    const expected = {
      regions: [region],
      service,
      signed: ['host', 'x-amz-date'],
      signedIfPresent: [],
      repeatedHeaders: true,
      normalisePath: normalize,
      clockSkewMs: 300_000,
    }
    const nowMs = Date.parse(timestamp)

    const claim = readClaim(request, expected, nowMs)
    const canonical = canonicalRequest(request, claim.signedHeaders, normalize)
    expect(canonical).toBe(read('header-canonical-request.txt'))
    expect(stringToSign(claim.timestamp, claim.scope, canonical)).toBe(
      read('header-string-to-sign.txt'),
    )
    const verifier = createVerifier({
      clock: () => nowMs,
      find: (id) =>
        id === credentials.access_key_id
          ? { secretAccessKey: credentials.secret_access_key }
          : undefined,
    })
    const proved = await verifier.verify(request, expected)
    expect(proved.claim.signature.toString('hex')).toBe(read('header-signature.txt').trim())
  })
})

/** A request as the cases write it: lines of a header may be folded, and values are raw. */
function parseRequest(text: string): SignedRequest {
  const [head = '', body = ''] = text.split(/\n\n/, 2)
  const [first = '', ...lines] = head.split('\n')
  const method = first.slice(0, first.indexOf(' '))
  const target = first.slice(method.length + 1, first.lastIndexOf(' HTTP/'))
  const headers = new Map<string, string[]>()
  let current: string[] = []
  for (const line of lines.filter((each) => each !== '')) {
    const colon = line.indexOf(':')
    if (/^\s/.test(line)) {
      current.push(`${current.pop()}\n${line}`)
      continue
    }
    const name = line.slice(0, colon).toLowerCase()
    current = headers.get(name) ?? []
    current.push(line.slice(colon + 1))
    headers.set(name, current)
  }
  return { method, target, headers, body: Buffer.from(body) }
}

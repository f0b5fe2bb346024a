/** What the verifier refuses: everything but the request that was signed, at its time. */

import { describe, expect, test } from 'vitest'
import {
  type Headers,
  readHeaders,
  type SignedRequest,
} from '../../../src/doors/aws/signature/request.ts'
import { createVerifier } from '../../../src/doors/aws/signature/verify.ts'
import { ADA, ADA_FOR_NOW } from './door.ts'
import { EXPECTED } from './expected.ts'
import { type AccessKey, sign, type Unsigned } from './sign.ts'

const NOW_MS = Date.parse('2026-11-22T12:00:00Z')
const HOST = '127.0.0.1:4771'

let nowMs = NOW_MS
const verifier = createVerifier({
  clock: () => nowMs,
  find: (id, token) =>
    [ADA, ADA_FOR_NOW].find((key) => key.accessKeyId === id && key.sessionToken === token),
})

function signed(more: Partial<Unsigned> = {}, key: AccessKey = ADA): SignedRequest {
  const { headers, body } = sign(key, {
    operation: 'Encrypt',
    body: '{"KeyId":"alias/a","Plaintext":"YWI="}',
    host: HOST,
    timeMs: NOW_MS,
    ...more,
  })
  return { method: 'POST', target: '/', headers: readHeaders(Object.entries(headers).flat()), body }
}

/** `ok`, or the name of the failure. */
async function outcome(request: SignedRequest, expected = EXPECTED): Promise<string> {
  try {
    await verifier.verify(request, expected)
    return 'ok'
  } catch (error) {
    return (error as Error).name
  }
}

function withHeader(
  request: SignedRequest,
  name: string,
  change: (value: string) => readonly string[] | undefined,
): SignedRequest {
  const headers = new Map(request.headers)
  const values = change(headers.get(name)?.[0] ?? '')
  if (values) headers.set(name, values)
  else headers.delete(name)
  return { ...request, headers }
}

const authorization = (change: (value: string) => string) =>
  withHeader(signed(), 'authorization', (value) => [change(value)])

test('what has been read before changes nothing in how a header is read', async () => {
  expect([await outcome(signed()), await outcome(signed())]).toEqual(['ok', 'ok'])
  const endings: readonly (readonly [(value: string) => string, string])[] = [
    [(value) => `${value} `, 'ok'],
    [(value) => `${value},Other=${'0'.repeat(64)}`, 'ok'],
    [(value) => value.replace(/.{64}$/, (hex) => hex.toUpperCase()), 'InvalidSignatureException'],
    [(value) => value.replace(/.{64}$/, '0'.repeat(64)), 'InvalidSignatureException'],
    [(value) => value.slice(0, -1), 'InvalidSignatureException'],
    [(value) => `${value},XSignature=${'0'.repeat(64)}`, 'ok'],
    [(value) => `${value},Signature=${'0'.repeat(64)}`, 'IncompleteSignatureException'],
  ]
  for (const [change, expected] of [...endings, ...endings]) {
    expect(await outcome(authorization(change)), `${change}`).toBe(expected)
  }
})

describe('the time', () => {
  test.each([
    [0, 'ok'],
    [-299_000, 'ok'],
    [299_000, 'ok'],
    [-301_000, 'InvalidSignatureException'],
    [301_000, 'InvalidSignatureException'],
  ])('a request that was signed %i ms from now: %s', async (aheadMs, expected) => {
    expect(await outcome(signed({ timeMs: NOW_MS + aheadMs }))).toBe(expected)
  })

  test('is refused in AWS’s words, by which SDKs correct their clocks', async () => {
    await expect(
      verifier.verify(signed({ timeMs: NOW_MS - 900_000 }), EXPECTED),
    ).rejects.toMatchObject({
      message:
        'Signature expired: 20261122T114500Z is now earlier than 20261122T115500Z ' +
        '(20261122T120000Z - 5 min.)',
    })
    await expect(
      verifier.verify(signed({ timeMs: NOW_MS + 900_000 }), EXPECTED),
    ).rejects.toMatchObject({
      message:
        'Signature not yet current: 20261122T121500Z is still later than 20261122T120500Z ' +
        '(20261122T120000Z + 5 min.)',
    })
  })

  test('is on the day of the scope, also at midnight', async () => {
    nowMs = Date.parse('2026-11-23T00:00:01Z')
    try {
      expect(await outcome(signed({ timeMs: nowMs - 2_000 }))).toBe('ok')
      expect(await outcome(signed({ timeMs: nowMs }))).toBe('ok')
    } finally {
      nowMs = NOW_MS
    }
    const other = authorization((value) => value.replace('/20261122/', '/20261121/'))
    expect(await outcome(other)).toBe('InvalidSignatureException')
  })
})

describe('the scope', () => {
  test.each([
    { region: 'us-east-1' },
    { service: 'sts' },
    { service: 's3' },
    { region: 'EU-CENTRAL-1' },
  ])('%j is another one', async (more) => {
    expect(await outcome(signed(more))).toBe('InvalidSignatureException')
  })
})

describe('the Authorization header', () => {
  test('missing', async () => {
    const request = withHeader(signed(), 'authorization', () => undefined)
    expect(await outcome(request)).toBe('MissingAuthenticationTokenException')
  })

  test('twice', async () => {
    const request = withHeader(signed(), 'authorization', (value) => [value, value])
    expect(await outcome(request)).toBe('IncompleteSignatureException')
  })

  test.each<[string, (value: string) => string, string]>([
    ['another algorithm', (v) => v.replace('SHA256', 'SHA512'), 'IncompleteSignatureException'],
    ['asymmetric', (v) => v.replace('HMAC', 'ECDSA-P256'), 'IncompleteSignatureException'],
    ['a bearer token', () => 'Bearer abc', 'IncompleteSignatureException'],
    ['nothing', () => '', 'IncompleteSignatureException'],
    ['no credential', (v) => v.replace(/Credential=[^,]*, /, ''), 'IncompleteSignatureException'],
    ['no signature', (v) => v.replace(/, Signature.*/, ''), 'IncompleteSignatureException'],
    ['no headers', (v) => v.replace(/SignedHeaders[^,]*, /, ''), 'IncompleteSignatureException'],
    ['no equals sign', (v) => v.replace('Signature=', 'Signature'), 'IncompleteSignatureException'],
    ['two signatures', (v) => `${v}, Signature=00`, 'IncompleteSignatureException'],
    ['a long credential', (v) => v.replace('/kms/', '/kms/x/'), 'IncompleteSignatureException'],
    ['a short signature', (v) => v.slice(0, -1), 'InvalidSignatureException'],
    ['a long signature', (v) => `${v}0`, 'InvalidSignatureException'],
    ['capitals', (v) => v.slice(0, -64) + v.slice(-64).toUpperCase(), 'InvalidSignatureException'],
    ['an empty signature', (v) => v.replace(/=\w+$/, '='), 'IncompleteSignatureException'],
    ['a terminator', (v) => v.replace('aws4_request', 'aws5_request'), 'InvalidSignatureException'],
    ['no key id', (v) => v.replace(/=AK\w+/, '='), 'UnrecognizedClientException'],
  ])('with %s', async (_, change, name) => {
    expect(await outcome(authorization(change))).toBe(name)
  })
})

describe('headers', () => {
  test.each(['host', 'x-amz-date', 'x-amz-target', 'content-type'])(
    '%s must be signed',
    async (name) => {
      const request = signed()
      const names = [...request.headers.keys()].filter((each) => each !== 'authorization')
      const others = names.filter((each) => each !== name).toSorted()
      const resigned = withHeader(request, 'authorization', (value) => [
        value.replace(/SignedHeaders=[^,]*/, `SignedHeaders=${others.join(';')}`),
      ])
      await expect(verifier.verify(resigned, EXPECTED)).rejects.toMatchObject({
        name: 'InvalidSignatureException',
        message: expect.stringContaining(`'${name}' must be a 'SignedHeader'`),
      })
    },
  )

  test('the session token must be signed', async () => {
    const request = withHeader(signed(), 'x-amz-security-token', () => ['token'])
    expect(await outcome(request)).toBe('InvalidSignatureException')
    expect(await outcome(signed({}, ADA_FOR_NOW))).toBe('ok')
  })

  test.each(['host', 'x-amz-target', 'content-type'])('%s must not be repeated', async (name) => {
    expect(await outcome(withHeader(signed(), name, (value) => [value, value]))).toBe(
      'InvalidSignatureException',
    )
    expect(await outcome(withHeader(signed(), name, (value) => [value, 'other']))).toBe(
      'InvalidSignatureException',
    )
  })

  test('x-amz-date must be there, once', async () => {
    for (const values of [undefined, ['20261122T120000Z', '20261122T120000Z'], ['now']]) {
      expect(await outcome(withHeader(signed(), 'x-amz-date', () => values))).toBe(
        'IncompleteSignatureException',
      )
    }
  })

  test.each(['host', 'HOST', 'x-amz-date;host', 'host;host;x-amz-date'])(
    'SignedHeaders of %s are refused',
    async (list) => {
      const request = authorization((value) => value.replace(/SignedHeaders=[^,]*/, list))
      expect(await outcome(request)).not.toBe('ok')
    },
  )
})

describe('the body', () => {
  test.each([
    'UNSIGNED-PAYLOAD',
    'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    '',
  ])('claimed to be %s is refused, although signed', async (claim) => {
    const request = signed({ headers: { 'x-amz-content-sha256': claim } })
    expect(await outcome(request)).toBe('InvalidSignatureException')
  })
})

test('none of 100,000 changes to signed requests is accepted', async () => {
  const seed = 20_261_122
  const random = mulberry(seed)
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T
  const originals = [
    signed(),
    signed({}, ADA_FOR_NOW),
    signed({ operation: 'ScheduleKeyDeletion' }),
  ]
  const accepted: SignedRequest[] = []
  const { stackTraceLimit } = Error
  // A hundred thousand stacks take longer than all the rest.
  Error.stackTraceLimit = 0
  for (let at = 0; at < 100_000; at++) {
    const original = pick(originals)
    const request = pick(MUTATIONS)(original, random)
    if (isSame(request, original)) continue
    if ((await outcome(request)) === 'ok') accepted.push(request)
  }
  Error.stackTraceLimit = stackTraceLimit
  expect(accepted, `seed ${seed}`).toEqual([])
}, 300_000)

type Mutation = (request: SignedRequest, random: () => number) => SignedRequest

const MUTATIONS: readonly Mutation[] = [
  (request, random) => ({ ...request, body: flipped(request.body, random) }),
  (request, random) => ({
    ...request,
    body: request.body.subarray(0, request.body.length * random()),
  }),
  (request) => ({ ...request, body: Buffer.concat([request.body, Buffer.from(' ')]) }),
  (request, random) => ({ ...request, method: random() < 0.5 ? 'GET' : 'PUT' }),
  (request, random) => ({ ...request, target: `/${String.fromCharCode(97 + 26 * random())}` }),
  (request) => ({ ...request, target: '/?a=b' }),
  (request, random) => onHeader(request, random, (value) => [flippedText(value, random)]),
  (request, random) => onHeader(request, random, (value) => [flippedText(value, random)]),
  (request, random) => onHeader(request, random, (value) => [value, value]),
  (request, random) => onHeader(request, random, (value) => [value.slice(0, -1)]),
  (request, random) => onHeader(request, random, () => undefined),
  (request, random) => onAuthorization(request, (value) => flippedText(value, random)),
  (request, random) => onAuthorization(request, (value) => flippedText(value, random)),
  (request, random) =>
    onAuthorization(request, (value) => value.replace(/;[a-z-]+/, random() < 0.5 ? '' : ';x')),
  (request, random) =>
    onAuthorization(request, (value) => {
      const at = Math.floor(value.length * random())
      return value.slice(0, at) + value.slice(at + 1)
    }),
]

function onHeader(
  request: SignedRequest,
  random: () => number,
  change: (value: string) => readonly string[] | undefined,
): SignedRequest {
  const names = [...request.headers.keys()].filter((name) => name !== 'authorization')
  const name = names[Math.floor(names.length * random())] ?? 'host'
  return withHeader(request, name, change)
}

function onAuthorization(request: SignedRequest, change: (value: string) => string): SignedRequest {
  return withHeader(request, 'authorization', (value) => [change(value)])
}

function flipped(bytes: Uint8Array, random: () => number): Buffer {
  const copy = Buffer.from(bytes)
  const at = Math.floor(copy.length * random())
  copy[at] = (copy[at] ?? 0) ^ (1 << Math.floor(8 * random()))
  return copy
}

function flippedText(text: string, random: () => number): string {
  const at = Math.floor(text.length * random())
  const character = String.fromCharCode(text.charCodeAt(at) ^ (1 << Math.floor(7 * random())))
  return text.slice(0, at) + character + text.slice(at + 1)
}

/** White space around what is signed, and between parameters, is nothing. */
function isSame(one: SignedRequest, other: SignedRequest): boolean {
  const plain = ({ headers }: { headers: Headers }) =>
    [...headers]
      .map(([name, values]) => {
        const text = values.map((value) => value.trim().replace(/\s+/g, ' ')).join('\n')
        return name === 'authorization' ? text.replace(/, */g, ',') : `${name}:${text}`
      })
      .join('\n')
  return (
    one.method === other.method &&
    one.target === other.target &&
    Buffer.compare(one.body, other.body) === 0 &&
    plain(one) === plain(other)
  )
}

/** The same numbers for the same seed. */
function mulberry(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

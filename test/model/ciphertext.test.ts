/** The laws of the ciphertext's layout. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Ciphertext,
  COMMITMENT_BYTES,
  ciphertextDigest,
  IV_BYTES_MAX,
  NONCE_BYTES,
  packCiphertext,
  packHead,
  parseCiphertext,
  TAG_BYTES,
} from '../../src/model/ciphertext.ts'

const bytes = (minLength: number, maxLength = minLength) =>
  fc.uint8Array({ minLength, maxLength }).map((array) => Buffer.from(array))
const hex = (length: number) => bytes(length).map((id) => id.toString('hex'))
const shared = {
  keyId: fc.uuid(),
  backingKeyId: hex(16),
  iv: bytes(1, IV_BYTES_MAX),
  sealed: bytes(COMMITMENT_BYTES + 1 + TAG_BYTES, 200),
}
const ciphertext: fc.Arbitrary<Ciphertext> = fc.oneof(
  fc.record({ suite: fc.constant(1 as const), nonce: bytes(NONCE_BYTES), ...shared }),
  fc.record({ suite: fc.constant(2 as const), nonce: bytes(0), ...shared }),
)
const bound = fc.record({
  account: fc.stringMatching(/^[0-9]{12}$/),
  context: bytes(2, 40),
})
const invalid = expect.objectContaining({ name: 'InvalidCiphertextException' })

const pack = (parts: Ciphertext) => packCiphertext(packHead(parts), parts)
const digest = (parts: Ciphertext, to: { account: string; context: Buffer }) =>
  ciphertextDigest(packHead(parts), parts.nonce, to)

describe('a ciphertext', () => {
  test('comes apart as it was put together', () => {
    fc.assert(
      fc.property(ciphertext, (parts) => {
        expect(parseCiphertext(pack(parts))).toEqual(parts)
      }),
    )
  })

  test('has one spelling: what parses packs to the same bytes', () => {
    const changed = fc.tuple(ciphertext, fc.nat(), fc.integer({ min: 1, max: 255 }))
    fc.assert(
      fc.property(changed, ([parts, at, mask]) => {
        const blob = pack(parts)
        const where = at % blob.length
        blob[where] = (blob[where] ?? 0) ^ mask
        const parsed = parsedOrRefused(blob)
        if (parsed !== undefined) expect(pack(parsed)).toEqual(blob)
      }),
      { numRuns: 1000 },
    )
  })

  test('cut short is refused, or authenticates something else', () => {
    fc.assert(
      fc.property(ciphertext, fc.nat(), (parts, cut) => {
        const blob = pack(parts)
        const short = blob.subarray(0, cut % blob.length)
        const parsed = parsedOrRefused(short)
        // Only the sealed part may have become shorter, and GCM covers that.
        if (parsed === undefined) return
        expect({ ...parsed, sealed: parts.sealed }).toEqual(parts)
        expect(parsed.sealed.length).toBeLessThan(parts.sealed.length)
      }),
    )
  })

  test('of no plaintext is refused', () => {
    fc.assert(
      fc.property(ciphertext, (parts) => {
        const sealed = parts.sealed.subarray(0, COMMITMENT_BYTES + TAG_BYTES)
        expect(() => parseCiphertext(pack({ ...parts, sealed }))).toThrow(invalid)
      }),
    )
  })

  test('of foreign bytes is refused', () => {
    fc.assert(
      fc.property(bytes(0, 300), (foreign) => {
        expect(() => parseCiphertext(foreign)).toThrow(invalid)
      }),
    )
  })

  test('is not made with lengths that its header cannot hold', () => {
    const [parts] = fc.sample(ciphertext, { numRuns: 1, seed: 1 })
    if (parts === undefined) throw new Error('no sample')
    const wrong: Partial<Ciphertext>[] = [
      { iv: Buffer.alloc(0) },
      { iv: Buffer.alloc(IV_BYTES_MAX + 1) },
      { nonce: Buffer.alloc(NONCE_BYTES - 1) },
      { backingKeyId: 'ab' },
      { keyId: 'ab' },
    ]
    for (const part of wrong) expect(() => pack({ ...parts, ...part })).toThrow()
  })

  test('of a multi-Region key carries the digits of its id', () => {
    const [parts] = fc.sample(ciphertext, { numRuns: 1, seed: 2 })
    if (parts === undefined) throw new Error('no sample')
    const digits = parts.keyId.replaceAll('-', '')
    expect(pack({ ...parts, keyId: `mrk-${digits}` })).toEqual(pack(parts))
  })
})

describe('ciphertextDigest', () => {
  test('differs when anything that it binds differs', () => {
    fc.assert(
      fc.property(ciphertext, bound, ciphertext, bound, (a, boundA, b, boundB) => {
        const equal = (what: typeof a, to: typeof boundA) =>
          digest(what, to).equals(digest(a, boundA))
        expect(equal(a, boundA)).toBe(true)
        expect(equal({ ...a, keyId: b.keyId }, boundA)).toBe(a.keyId === b.keyId)
        expect(equal({ ...a, backingKeyId: b.backingKeyId }, boundA)).toBe(
          a.backingKeyId === b.backingKeyId,
        )
        expect(equal({ ...a, suite: b.suite, nonce: b.nonce }, boundA)).toBe(
          a.suite === b.suite && a.nonce.equals(b.nonce),
        )
        expect(equal(a, { ...boundA, account: boundB.account })).toBe(
          boundA.account === boundB.account,
        )
        expect(equal(a, { ...boundA, context: boundB.context })).toBe(
          boundA.context.equals(boundB.context),
        )
      }),
    )
  })

  test('does not confuse account and context', () => {
    const [parts] = fc.sample(ciphertext, { numRuns: 1, seed: 3 })
    if (parts === undefined) throw new Error('no sample')
    const a = digest(parts, { account: '12', context: Buffer.from('34') })
    const b = digest(parts, { account: '123', context: Buffer.from('4') })
    expect(a.equals(b)).toBe(false)
  })
})

function parsedOrRefused(blob: Buffer): Ciphertext | undefined {
  try {
    return parseCiphertext(blob)
  } catch (error) {
    expect(error).toEqual(invalid)
    return undefined
  }
}

/** Signatures made by node:crypto, whole and of digests, right ones and others. */

import {
  constants,
  createECDH,
  createPublicKey,
  generateKeyPairSync,
  hash,
  type KeyObject,
  sign,
} from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { COORDINATE_BYTES, derSignature } from '../../../src/model/asymmetric/ecdsa.ts'
import { HASH_BYTES, type Hash, signatureScheme } from '../../../src/model/asymmetric/schemes.ts'
import { curveOf, verifiesSignature } from '../../../src/model/asymmetric/verify.ts'
import type { SigningAlgorithm } from '../../../src/model/key-specs.ts'

const MESSAGE = Buffer.from('a message of any length')
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pairs: readonly [SigningAlgorithm, { privateKey: KeyObject; publicKey: KeyObject }][] = [
  ['RSASSA_PSS_SHA_256', rsa],
  ['RSASSA_PSS_SHA_384', rsa],
  ['RSASSA_PSS_SHA_512', rsa],
  ['RSASSA_PKCS1_V1_5_SHA_256', rsa],
  ['RSASSA_PKCS1_V1_5_SHA_384', rsa],
  ['RSASSA_PKCS1_V1_5_SHA_512', rsa],
  ['ECDSA_SHA_256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
  ['ECDSA_SHA_256', generateKeyPairSync('ec', { namedCurve: 'secp256k1' })],
  ['ECDSA_SHA_384', generateKeyPairSync('ec', { namedCurve: 'P-384' })],
  ['ECDSA_SHA_512', generateKeyPairSync('ec', { namedCurve: 'P-521' })],
  ['ED25519_SHA_512', generateKeyPairSync('ed25519')],
]

describe.each(pairs)('%s', (algorithm, { privateKey, publicKey }) => {
  const scheme = signatureScheme(algorithm)
  const hashName: Hash | undefined = scheme && 'hash' in scheme ? scheme.hash : undefined
  const verifies = (message: Buffer, isDigest: boolean, signature: Buffer) =>
    verifiesSignature(publicKey, algorithm, { message, isDigest }, signature)
  const signed = (message: Buffer) =>
    sign(hashName ?? null, message, {
      key: privateKey,
      ...(scheme?.type === 'PSS' && {
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: HASH_BYTES[scheme.hash],
      }),
    })

  test('a right signature passes, whole and by its digest', () => {
    for (let round = 0; round < 10; round++) {
      const message = Buffer.from(`${MESSAGE} ${round}`)
      const signature = signed(message)
      expect(verifies(message, false, signature)).toBe(true)
      if (hashName === undefined) continue
      expect(verifies(hash(hashName, message, 'buffer'), true, signature)).toBe(true)
    }
  })

  if (algorithm.startsWith('RSASSA_')) {
    test('one without its first zero does not', () => {
      for (let round = 0; ; round++) {
        const message = Buffer.from(`${MESSAGE} ${round}`)
        const signature = signed(message)
        if (signature[0] !== 0) continue
        expect(verifies(message, false, signature)).toBe(true)
        expect(verifies(message, false, signature.subarray(1))).toBe(false)
        return
      }
    })
  }

  test('one bit of message or signature more or less does not', () => {
    const signature = signed(MESSAGE)
    const digest = hashName && hash(hashName, MESSAGE, 'buffer')
    fc.assert(
      fc.property(fc.nat(8 * signature.length - 1), (bit) => {
        const flipped = Buffer.from(signature)
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        expect(verifies(MESSAGE, false, flipped)).toBe(false)
        if (digest) expect(verifies(digest, true, flipped)).toBe(false)
      }),
      { numRuns: 40 },
    )
    expect(verifies(Buffer.concat([MESSAGE, MESSAGE]), false, signature)).toBe(false)
    if (digest) expect(verifies(Buffer.alloc(digest.length, 7), true, signature)).toBe(false)
    for (const other of [
      Buffer.alloc(0),
      signature.subarray(1),
      Buffer.concat([signature, MESSAGE]),
    ]) {
      expect(verifies(MESSAGE, false, other)).toBe(false)
      if (digest) expect(verifies(digest, true, other)).toBe(false)
    }
  })

  test('a digest of another length is refused', () => {
    if (hashName === undefined) return
    expect(() => verifies(Buffer.alloc(20), true, signed(MESSAGE))).toThrow('invalid length')
  })

  test('another key does not', () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey
    const input = { message: MESSAGE, isDigest: false }
    if (algorithm !== 'ECDSA_SHA_256') return
    expect(verifiesSignature(other, algorithm, input, signed(MESSAGE))).toBe(false)
  })
})

test('a signature under the negative of the key does not pass', () => {
  const [, pair] = pairs[6] ?? []
  if (pair === undefined) throw new Error('no pair on P-256')
  const { x = '', y = '' } = pair.publicKey.export({ format: 'jwk' })
  const prime = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn
  const otherY = prime - BigInt(`0x${Buffer.from(y, 'base64url').toString('hex')}`)
  const negative = Buffer.from(otherY.toString(16).padStart(64, '0'), 'hex').toString('base64url')
  const key = { kty: 'EC', crv: 'P-256', x, y: negative }
  const publicKey = createPublicKey({ key, format: 'jwk' })
  const input = { message: hash('sha256', MESSAGE, 'buffer'), isDigest: true }
  const signature = sign('sha256', MESSAGE, pair.privateKey)
  expect(verifiesSignature(pair.publicKey, 'ECDSA_SHA_256', input, signature)).toBe(true)
  expect(verifiesSignature(publicKey, 'ECDSA_SHA_256', input, signature)).toBe(false)
})

test('a signature of two halves takes its DER form', () => {
  for (const [, { privateKey, publicKey }] of pairs) {
    const curve = curveOf(publicKey)
    if (curve === undefined) continue
    const halves = sign('sha256', MESSAGE, { key: privateKey, dsaEncoding: 'ieee-p1363' })
    expect(halves).toHaveLength(2 * COORDINATE_BYTES[curve])
    const input = { message: MESSAGE, isDigest: false }
    expect(verifiesSignature(publicKey, 'ECDSA_SHA_256', input, derSignature(halves))).toBe(true)
  }
})

test('a signature whose two points are one passes by its digest, and one whose points cancel does not', () => {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  const ecdh = createECDH('prime256v1')
  const bytes = (number: bigint) => Buffer.from(number.toString(16).padStart(64, '0'), 'hex')
  const number = (buffer: Buffer) => BigInt(`0x${buffer.toString('hex')}`)
  const d = number(ecdh.generateKeys().subarray(1, 33)) % order
  const k = number(ecdh.generateKeys().subarray(1, 33)) % order
  const xOf = (factor: bigint) => {
    ecdh.setPrivateKey(bytes(factor))
    return ecdh.getPublicKey().subarray(1, 33)
  }
  const r = number(xOf(k)) % order
  const half = (r * d) % order
  const s = (2n * half * power(k, order - 2n, order)) % order
  const [x, y] = [xOf(d), ecdh.getPublicKey().subarray(33)].map((one) => one.toString('base64url'))
  const publicKey = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' })
  const signature = derSignature(Buffer.concat([bytes(r), bytes(s)]))
  const verifies = (digest: bigint) => {
    const input = { message: bytes(digest), isDigest: true }
    return verifiesSignature(publicKey, 'ECDSA_SHA_256', input, signature)
  }
  expect(verifies(half)).toBe(true)
  expect(verifies(order - half)).toBe(false)
})

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n
  for (const bit of exponent.toString(2)) {
    result = (result * result) % modulus
    if (bit === '1') result = (result * base) % modulus
  }
  return result
}

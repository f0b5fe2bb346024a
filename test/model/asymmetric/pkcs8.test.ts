/** The seed of an Ed25519 key in PKCS #8. */

import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ed25519Pkcs8, ed25519Seed } from '../../../src/model/asymmetric/pkcs8.ts'

const OBJECT_IDENTIFIER = Buffer.from('06032b6570', 'hex')
const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes))

test('is what the key was made of, and what OpenSSL reads', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const pkcs8 = ed25519Pkcs8(OBJECT_IDENTIFIER, Buffer.from(seed))
      expect(ed25519Seed(pkcs8)).toEqual(seed)
      const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
      expect(key.export({ type: 'pkcs8', format: 'der' })).toEqual(pkcs8)
      expect(createPublicKey(key).asymmetricKeyType).toBe('ed25519')
    }),
  )
})

test('is a view, so that who zeroes the whole has zeroed it', () => {
  const pkcs8 = ed25519Pkcs8(OBJECT_IDENTIFIER, Buffer.alloc(32, 7))
  const seed = ed25519Seed(pkcs8)
  pkcs8.fill(0)
  expect(seed).toEqual(Buffer.alloc(32))
})

test('is in nothing that is cut, lengthened or changed before it, or of another kind', () => {
  const pkcs8 = ed25519Pkcs8(OBJECT_IDENTIFIER, Buffer.alloc(32, 7))
  for (let length = 0; length < pkcs8.length; length += 1) {
    expect(ed25519Seed(pkcs8.subarray(0, length))).toBeUndefined()
  }
  expect(ed25519Seed(Buffer.concat([pkcs8, Buffer.of(0)]))).toBeUndefined()
  for (let at = 0; at < 16; at += 1) {
    const changed = Buffer.from(pkcs8)
    changed[at] = (changed[at] ?? 0) ^ 0x10
    expect(ed25519Seed(changed)).toBeUndefined()
  }
  const x25519 = generateKeyPairSync('x25519').privateKey
  expect(ed25519Seed(x25519.export({ type: 'pkcs8', format: 'der' }))).toBeUndefined()
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      expect(ed25519Seed(Buffer.from(bytes))).toBeUndefined()
    }),
  )
})

/**
 * Wycheproof's vectors of RSA OAEP, through what takes the padding off outside of a token that
 * leaves no other way; and blocks that are wrong in every way there is.
 */

import { constants, createHash, createPrivateKey, privateDecrypt, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { type OaepHash, oaepMessage } from '../../src/pkcs11/import/oaep.ts'
import { type Group, groupsOf, isFull, missing, Tally, type Vector } from './wycheproof.ts'

interface OaepVector extends Vector {
  readonly msg: string
  readonly ct: string
  readonly label: string
}

const FILES = [
  'rsa_oaep_2048_sha1_mgf1sha1_test.json',
  'rsa_oaep_2048_sha256_mgf1sha1_test.json',
  'rsa_oaep_2048_sha256_mgf1sha256_test.json',
  'rsa_oaep_3072_sha256_mgf1sha1_test.json',
  'rsa_oaep_3072_sha256_mgf1sha256_test.json',
  'rsa_oaep_4096_sha256_mgf1sha1_test.json',
  'rsa_oaep_4096_sha256_mgf1sha256_test.json',
  'rsa_oaep_misc_test.json',
]
const HASHES: Readonly<Record<string, OaepHash>> = { 'SHA-1': 'sha1', 'SHA-256': 'sha256' }

if (missing !== undefined) console.log(`SKIPPED: ${missing}`)

test.skipIf(missing !== undefined)('0 invalid blocks, and every valid one that fits', () => {
  const tally = new Tally('RSA OAEP, its padding')
  for (const group of FILES.flatMap((file) => groupsOf<OaepVector>(file))) {
    const hash = HASHES[String(group.sha)]
    const pkcs8 = Buffer.from(String(group.privateKeyPkcs8), 'hex')
    const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
    for (const vector of group.tests) {
      const why = unfit(group, hash, vector)
      if (hash === undefined || why !== undefined) {
        // With another hash or label than ours it must not open either.
        if (hash !== undefined) expect(opened(key, hash, vector)).not.toBe('')
        tally.count(`${vector.result} left out: ${why}`)
        continue
      }
      const what = `vector ${vector.tcId}: ${vector.comment}`
      if (vector.result === 'invalid') expect(opened(key, hash, vector), what).toBeUndefined()
      else expect(opened(key, hash, vector), what).toBe(vector.msg)
      tally.count(vector.result === 'invalid' ? 'invalid refused' : 'valid accepted')
    }
  }
  tally.print()
  expect(tally.of('valid accepted')).toBeGreaterThan(0)
  expect(tally.of('invalid refused')).toBeGreaterThan(0)
})

function unfit(group: Group<OaepVector>, hash: unknown, { label }: OaepVector) {
  if (hash === undefined) return `of the hash ${group.sha}`
  if (group.mgfSha !== group.sha) return 'of two hashes'
  return label === '' ? undefined : 'with a label'
}

function opened(
  key: ReturnType<typeof createPrivateKey>,
  hash: OaepHash,
  { ct }: OaepVector,
): string | undefined {
  let block: Buffer
  try {
    block = privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, Buffer.from(ct, 'hex'))
  } catch {
    // Of another length than the modulus, or not below it: the token refuses it.
    return undefined
  }
  return oaepMessage(block, hash)?.toString('hex')
}

const BLOCK_BYTES = 256
const BLOCKS = isFull ? 10_000 : 500

interface Parts {
  readonly first?: number
  readonly labelHash?: Buffer
  readonly padding?: Buffer
  readonly separator?: number
  readonly message?: Buffer
}

/** Encodes a block as RFC 8017, section 7.1.1, has it, with parts that are not as they should be. */
function encoded(hash: OaepHash, parts: Parts = {}): Buffer {
  const labelHash = parts.labelHash ?? createHash(hash).digest()
  const message = parts.message ?? randomBytes(32)
  const paddingBytes = BLOCK_BYTES - 2 * labelHash.length - message.length - 2
  const padding = parts.padding ?? Buffer.alloc(paddingBytes)
  const separator = Buffer.of(parts.separator ?? 1)
  const data = Buffer.concat([labelHash, padding, separator, message])
  const seed = randomBytes(labelHash.length)
  const masked = xor(data, mask(seed, data.length, hash))
  const maskedSeed = xor(seed, mask(masked, seed.length, hash))
  return Buffer.concat([Buffer.of(parts.first ?? 0), maskedSeed, masked])
}

function mask(seed: Buffer, bytes: number, hash: OaepHash): Buffer {
  const blocks: Buffer[] = []
  for (let at = 0; at * 20 < bytes; at++) {
    const counter = Buffer.alloc(4)
    counter.writeUInt32BE(at)
    blocks.push(createHash(hash).update(seed).update(counter).digest())
  }
  return Buffer.concat(blocks).subarray(0, bytes)
}

function xor(one: Buffer, other: Buffer): Buffer {
  return Buffer.from(one.map((byte, at) => byte ^ (other[at] ?? 0)))
}

describe.each(['sha1', 'sha256'] as const)('with %s', (hash) => {
  const hashBytes = hash === 'sha1' ? 20 : 32
  const spoilt: Readonly<Record<string, () => Buffer>> = {
    'another first byte': () => encoded(hash, { first: 1 + (randomBytes(1).readUInt8() % 255) }),
    'another hash of the label': () => encoded(hash, { labelHash: randomBytes(hashBytes) }),
    'another separator': () => encoded(hash, { separator: 2 + (randomBytes(1).readUInt8() % 254) }),
    'no separator': () =>
      encoded(hash, {
        separator: 0,
        message: Buffer.alloc(1 + (randomBytes(1).readUInt8() % 100)),
      }),
    'padding that is not zero': () => {
      const padding = Buffer.alloc(BLOCK_BYTES - 2 * hashBytes - 32 - 2)
      padding[randomBytes(1).readUInt8() % padding.length] = 2 + (randomBytes(1).readUInt8() % 254)
      return encoded(hash, { padding })
    },
    'nothing but noise': () => randomBytes(BLOCK_BYTES),
  }

  test('what is well-formed opens, whatever its length', () => {
    for (let bytes = 0; bytes <= BLOCK_BYTES - 2 * hashBytes - 2; bytes++) {
      const message = randomBytes(bytes)
      expect(oaepMessage(encoded(hash, { message }), hash)).toEqual(message)
    }
  })

  test.each(Object.entries(spoilt))('%s opens nothing', (_, block) => {
    for (let tried = 0; tried < BLOCKS; tried++) {
      expect(oaepMessage(block(), hash)).toBeUndefined()
    }
  })

  test('a block that is too short opens nothing', () => {
    for (let bytes = 0; bytes < 2 * hashBytes + 2; bytes++) {
      expect(oaepMessage(Buffer.alloc(bytes), hash)).toBeUndefined()
    }
  })
})

/**
 * Wycheproof's vectors of RSA OAEP, through what takes the padding off outside of a token that
 * leaves no other way; and blocks that are wrong in every way there is.
 */

import { constants, createPrivateKey, privateDecrypt, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { type OaepHash, oaepMessage } from '../../src/pkcs11/import/oaep.ts'
import { FILES } from './files.ts'
import { encoded, spoiltBlocks } from './oaep-blocks.ts'
import { type Group, groupsOf, isFull, missing, report, Tally, type Vector } from './wycheproof.ts'

interface OaepVector extends Vector {
  readonly msg: string
  readonly ct: string
  readonly label: string
}

const HASHES: Readonly<Record<string, OaepHash>> = { 'SHA-1': 'sha1', 'SHA-256': 'sha256' }

test.skipIf(missing !== undefined)(
  '0 invalid blocks, and every valid one that fits',
  ({ task }) => {
    const tallies = FILES.oaep.map((file) => {
      const tally = new Tally(file, 'what takes the padding off outside of the token')
      for (const group of groupsOf<OaepVector>(file)) openAll(group, tally)
      return tally
    })
    report(task, 'RSAES-OAEP, its padding', tallies)
  },
)

function openAll(group: Group<OaepVector>, tally: Tally): void {
  const hash = HASHES[String(group.sha)]
  const pkcs8 = Buffer.from(String(group.privateKeyPkcs8), 'hex')
  const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
  for (const vector of group.tests) {
    if (hash === undefined) {
      tally.unfit(vector, `by ${group.sha}: AWS has SHA-1 and SHA-256`)
      continue
    }
    const message = opened(key, hash, vector)
    if (message === undefined) {
      tally.refused(vector, unfit(group, vector))
      continue
    }
    tally.accepted(vector)
    expect(message, `vector ${vector.tcId}: ${vector.comment}`).toBe(vector.msg)
  }
}

function unfit({ sha, mgfSha }: Group<OaepVector>, { label }: OaepVector) {
  if (mgfSha !== sha) return `masked by ${mgfSha}: AWS masks by the hash of the label`
  return label === '' ? undefined : 'with a label: AWS has none'
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

describe.each(['sha1', 'sha256'] as const)('with %s', (hash) => {
  const hashBytes = hash === 'sha1' ? 20 : 32
  const spoilt = spoiltBlocks(hash, BLOCK_BYTES)

  test('what is well-formed opens, whatever its length', () => {
    for (let bytes = 0; bytes <= BLOCK_BYTES - 2 * hashBytes - 2; bytes++) {
      const message = randomBytes(bytes)
      expect(oaepMessage(encoded(hash, BLOCK_BYTES, { message }), hash)).toEqual(message)
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

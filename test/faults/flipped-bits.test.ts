/**
 * One bit of what the token answers is flipped: no ciphertext leaves that does not decrypt to what
 * went in, and no ciphertext is called invalid for it.
 */

import { publicEncrypt } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseCiphertext } from '../../src/model/ciphertext.ts'
import { expectHonest, type FaultyDoor, makeDoor } from './door.ts'
import { whyNoFaultModule } from './fault-module.ts'
import { DECRYPTS, halfOf, makeKind } from './kind-rounds.ts'

const FLIPS = process.env.KEYSLOT_FAULTS === 'full' ? 200 : 3
/** The commitment that stands before every plaintext, in bits. */
const COMMITMENT_BITS = 256
const PATIENCE_MS = 20_000

const why = whyNoFaultModule()

let door: FaultyDoor
beforeAll(async () => {
  if (why === undefined) door = await makeDoor({ workers: 1 })
})
afterAll(() => door?.remove())

/** Flips one bit at the n-th call during a round, then holds all to account. */
async function roundWithFlip(name: 'C_Encrypt' | 'C_Decrypt', bit: number, from: number) {
  if (door.hsm().metrics().restarts > 0) await door.restart()
  await door.untilSound(door.dataRound, PATIENCE_MS)
  door.faults.arm(name, { does: 'flip', bit }, { from, times: 1 })
  const outcomes = await door.dataRound()
  expect(door.faults.hits(name)).toBe(1)
  door.faults.clear()
  expectHonest(outcomes)
  await door.untilSound(door.dataRound, PATIENCE_MS)
  await door.expectNothingLost()
}

const flips = Array.from({ length: FLIPS }, (_, at) => ({
  from: 1 + (at % 5),
  bit: Math.floor((at * COMMITMENT_BITS) / FLIPS) + (at % 8),
}))

describe.skipIf(why !== undefined)('one bit flipped', () => {
  test.each(flips)('bit $bit of encryption $from', ({ bit, from }) =>
    roundWithFlip('C_Encrypt', bit, from),
  )

  test.each(flips)('bit $bit of decryption $from', ({ bit, from }) =>
    roundWithFlip('C_Decrypt', bit % COMMITMENT_BITS, from),
  )

  test('of a plaintext that is answered, where decryptions are verified', async () => {
    const verified = await makeDoor({ workers: 1, verifyDecryption: true })
    try {
      const [key] = verified.keys
      if (key === undefined) throw new Error('no key')
      const { hsm } = verified.hsm()
      const context = Buffer.alloc(2)
      const plaintext = Buffer.from('kept')
      const ciphertext = parseCiphertext(await hsm.encrypt(key, { plaintext, context }, {}))
      expect(await hsm.decrypt(key, { ciphertext, context }, {})).toEqual(plaintext)
      verified.faults.arm('C_Decrypt', { does: 'flip', bit: COMMITMENT_BITS }, { times: 1 })
      await expect(hsm.decrypt(key, { ciphertext, context }, {})).rejects.toMatchObject({
        name: 'KMSInternalException',
        grpc: 'UNAVAILABLE',
      })
      expect(verified.faults.hits('C_Decrypt')).toBe(1)
      await verified.untilSound(verified.dataRound, PATIENCE_MS)
    } finally {
      await verified.remove()
    }
  })

  test.each(['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'] as const)(
    'of what a pair decrypts by %s, where decryptions are verified',
    async (algorithm) => {
      const verified = await makeDoor({ workers: 1, verifyDecryption: true })
      try {
        const pair = await makeKind(verified.hsm(), DECRYPTS)
        const oaepHash = algorithm.endsWith('256') ? 'sha256' : 'sha1'
        const plaintext = Buffer.from('kept')
        const ciphertextBlob = publicEncrypt({ key: halfOf(pair), oaepHash }, plaintext)
        const { hsm } = verified.hsm()
        const decrypt = () => hsm.decryptAsymmetric(pair, { algorithm, ciphertextBlob }, {})
        expect(await decrypt()).toEqual(plaintext)
        verified.faults.arm('C_Decrypt', { does: 'flip', bit: 3 }, { times: 1 })
        await expect(decrypt()).rejects.toMatchObject({
          name: 'KMSInternalException',
          grpc: 'UNAVAILABLE',
        })
        expect(verified.faults.hits('C_Decrypt')).toBe(1)
      } finally {
        await verified.remove()
      }
    },
  )

  test('of a plaintext that is encrypted again, for a pair too', async () => {
    const [key] = door.keys
    if (key === undefined) throw new Error('no key')
    await door.restart()
    const pair = await makeKind(door.hsm(), DECRYPTS)
    const context = Buffer.alloc(2)
    const { hsm } = door.hsm()
    const blob = await hsm.encrypt(key, { plaintext: Buffer.from('kept'), context }, {})
    const source = { key, ciphertext: parseCiphertext(blob), context }
    const destination = { key: pair, algorithm: 'RSAES_OAEP_SHA_256' } as const
    await hsm.reEncryptAsymmetric(source, destination, {})
    door.faults.arm('C_Decrypt', { does: 'flip', bit: COMMITMENT_BITS }, { times: 1 })
    await expect(hsm.reEncryptAsymmetric(source, destination, {})).rejects.toMatchObject({
      name: 'KMSInternalException',
      grpc: 'UNAVAILABLE',
    })
    expect(door.faults.hits('C_Decrypt')).toBe(1)
  })

  test('of a plaintext that is encrypted again', async () => {
    const [key, other] = door.keys
    if (key === undefined || other === undefined) throw new Error('no keys')
    await door.restart()
    const { hsm } = door.hsm()
    const context = Buffer.alloc(2)
    const blob = await hsm.encrypt(key, { plaintext: Buffer.from('kept'), context }, {})
    door.faults.arm('C_Decrypt', { does: 'flip', bit: COMMITMENT_BITS }, { times: 1 })
    const source = { key, ciphertext: parseCiphertext(blob), context }
    await expect(hsm.reEncrypt(source, { key: other, context }, {})).rejects.toMatchObject({
      name: 'KMSInternalException',
      grpc: 'UNAVAILABLE',
    })
    expect(door.faults.hits('C_Decrypt')).toBe(1)
  })
})

/**
 * Wycheproof's vectors of AES Key Wrap with Padding (RFC 5649), each as an owner would send it: the
 * wrapping AES key under a wrapping key of the token, then the vector. They go to the HSM process.
 */

import { constants, createCipheriv, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type HsmHandle, startHsm } from '../../src/pkcs11/supervisor.ts'
import { makeToken, type TestToken } from '../pkcs11/token.ts'
import { groupsOf, missing, sampled, Tally, type Vector } from './wycheproof.ts'

interface KeyWrapVector extends Vector {
  readonly key: string
  readonly msg: string
  readonly ct: string
}

const vectors = groupsOf<KeyWrapVector>('aes_kwp_test.json').flatMap(({ tests }) => tests)
const AES_BYTES = 32

if (missing !== undefined) console.log(`SKIPPED: ${missing}`)

describe.skipIf(missing !== undefined)('AES Key Wrap with Padding', () => {
  let token: TestToken
  let hsm: HsmHandle
  let publicKey: Buffer
  const wrappingKeyId = randomBytes(16).toString('hex')
  const algorithm = 'RSA_AES_KEY_WRAP_SHA_256'
  const kind = { spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT' } as const

  beforeAll(async () => {
    token = await makeToken()
    hsm = await startHsm(token.settings, { log: () => {} })
    await hsm.objects.createCanary()
    publicKey = await hsm.objects.makeWrappingKey({
      id: wrappingKeyId,
      keyId: 'vectors',
      spec: 'RSA_2048',
      algorithm,
      kind,
    })
  })
  afterAll(async () => {
    await hsm?.stop()
    token?.remove()
  })

  const check = async ({ key, ct }: KeyWrapVector): Promise<string> => {
    const wrapped = publicEncrypt(
      {
        key: createPublicKey({ key: publicKey, format: 'der', type: 'spki' }),
        padding: constants.RSA_PKCS1_OAEP_PADDING,
        oaepHash: 'sha256',
      },
      Buffer.from(key, 'hex'),
    )
    const encryptedKeyMaterial = Buffer.concat([wrapped, Buffer.from(ct, 'hex')])
    const sent = { wrappingKeyId, algorithm, encryptedKeyMaterial, ...kind } as const
    return hsm.objects.checkMaterial(sent).catch(({ name }: Error) => name)
  }

  test('0 invalid are unwrapped; every valid one is, or is no AES-256 key', async () => {
    const tally = new Tally('AES-KWP through the HSM process')
    const fits = ({ msg, result }: KeyWrapVector) =>
      result === 'valid' && msg.length === 2 * AES_BYTES
    const chosen = [
      ...vectors.filter(fits),
      ...sampled(
        vectors.filter((one) => !fits(one)),
        4,
      ),
    ]
    for (const vector of chosen) {
      const answer = await check(vector)
      const what = `vector ${vector.tcId}: ${vector.comment}`
      if (fits(vector)) {
        const cipher = createCipheriv('aes-256-ecb', Buffer.from(vector.msg, 'hex'), null)
        const known = cipher.setAutoPadding(false).update('keyslot material check value 256')
        expect(answer, what).toBe(known.toString('hex'))
        tally.count('valid accepted')
      } else if (vector.result === 'valid') {
        expect(answer, what).toBe('IncorrectKeyMaterialException')
        tally.count('valid refused: of another length than AES-256')
      } else {
        const refused = ['InvalidCiphertextException', 'IncorrectKeyMaterialException']
        expect(refused, what).toContain(answer)
        tally.count('invalid refused')
      }
    }
    tally.print()
    expect(tally.of('valid accepted')).toBeGreaterThan(0)
    expect(tally.of('invalid refused')).toBeGreaterThan(0)
  })
})

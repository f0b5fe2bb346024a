/**
 * Wycheproof's vectors of AES Key Wrap with Padding (RFC 5649), each as an owner would send it: the
 * wrapping AES key under a wrapping key of the token, then the vector. They go to the HSM process.
 * Those of AES Key Wrap without padding (RFC 3394) go the same way, and no further.
 */

import { constants, createCipheriv, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type HsmHandle, startHsm } from '../../src/pkcs11/client/supervisor.ts'
import { makeToken, type TestToken } from '../pkcs11/token.ts'
import { FILES } from './files.ts'
import { groupsOf, missing, report, sampled, Tally, type Vector } from './wycheproof.ts'

interface KeyWrapVector extends Vector {
  readonly key: string
  readonly msg: string
  readonly ct: string
}

const [WITH_PADDING, WITHOUT_PADDING] = FILES.keyWrap
const THROUGH = 'unwrapping in the HSM process'
const AES_BYTES = 32
const REFUSED = ['InvalidCiphertextException', 'IncorrectKeyMaterialException']

const vectorsOf = (file: string) => groupsOf<KeyWrapVector>(file).flatMap(({ tests }) => tests)

describe.skipIf(missing !== undefined)('AES Key Wrap', () => {
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

  test('with padding: every valid AES-256 key is unwrapped, and nothing else', async ({ task }) => {
    const tally = new Tally(WITH_PADDING, THROUGH)
    const fits = ({ msg, result }: KeyWrapVector) =>
      result === 'valid' && msg.length === 2 * AES_BYTES
    const vectors = vectorsOf(WITH_PADDING)
    const others = vectors.filter((one) => !fits(one))
    const chosen = new Set([...vectors.filter(fits), ...sampled(others, 4)])
    for (const vector of vectors) {
      if (!chosen.has(vector)) {
        tally.notInSample(vector)
        continue
      }
      const answer = await check(vector)
      const what = `vector ${vector.tcId}: ${vector.comment}`
      if (fits(vector)) {
        const cipher = createCipheriv('aes-256-ecb', Buffer.from(vector.msg, 'hex'), null)
        const known = cipher.setAutoPadding(false).update('keyslot material check value 256')
        expect(answer, what).toBe(known.toString('hex'))
        tally.accepted(vector)
      } else {
        expect(REFUSED, what).toContain(answer)
        if (vector.result === 'valid') expect(answer, what).toBe('IncorrectKeyMaterialException')
        tally.refused(vector, 'of another length than a key of AES-256')
      }
    }
    report(task, 'AES Key Wrap with Padding', [tally])
    expect(tally.row().validAccepted).toBeGreaterThan(0)
    expect(tally.row().invalidRefused).toBeGreaterThan(0)
  })

  test('without padding: nothing is unwrapped', async ({ task }) => {
    const tally = new Tally(WITHOUT_PADDING, THROUGH)
    const vectors = vectorsOf(WITHOUT_PADDING)
    const chosen = new Set(sampled(vectors, 4))
    for (const vector of vectors) {
      if (!chosen.has(vector)) {
        tally.notInSample(vector)
        continue
      }
      expect(REFUSED, `vector ${vector.tcId}: ${vector.comment}`).toContain(await check(vector))
      tally.refused(vector, 'by RFC 3394: AWS wraps by RFC 5649')
    }
    report(task, 'AES Key Wrap without padding', [tally])
  })
})

/**
 * Key material from outside over the software tokens: it becomes a key that works, or the token is
 * said not to unwrap it before anything is sent.
 */

import {
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  publicEncrypt,
  randomBytes,
  randomUUID,
} from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type WrappingAlgorithm, wrappingAlgorithmRow } from '../../src/model/import/wrapping.ts'
import type { KeyKind } from '../../src/model/key-specs.ts'
import { type HsmHandle, startHsm } from '../../src/pkcs11/client/supervisor.ts'
import { wrapWithPadding } from '../../src/pkcs11/import/unwrapping.ts'
import { nss } from './nss.ts'
import { softhsm } from './softhsm.ts'
import type { MadeToken } from './token-kind.ts'

const pkcs8 = ({ privateKey }: { privateKey: KeyObject }) =>
  privateKey.export({ type: 'pkcs8', format: 'der' })
const KINDS: readonly (KeyKind & { readonly material: () => Buffer })[] = [
  { spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT', material: () => randomBytes(32) },
  { spec: 'HMAC_256', usage: 'GENERATE_VERIFY_MAC', material: () => randomBytes(32) },
  {
    spec: 'ECC_NIST_P256',
    usage: 'SIGN_VERIFY',
    material: () => pkcs8(generateKeyPairSync('ec', { namedCurve: 'P-256' })),
  },
  {
    spec: 'RSA_2048',
    usage: 'SIGN_VERIFY',
    material: () => pkcs8(generateKeyPairSync('rsa', { modulusLength: 2048 })),
  },
]
const ALGORITHMS: readonly WrappingAlgorithm[] = [
  'RSAES_OAEP_SHA_1',
  'RSAES_OAEP_SHA_256',
  'RSA_AES_KEY_WRAP_SHA_1',
  'RSA_AES_KEY_WRAP_SHA_256',
]
/** A key of RSA is longer than what another one encrypts. */
const CASES = KINDS.flatMap((kind) =>
  ALGORITHMS.filter(
    (algorithm) => kind.spec !== 'RSA_2048' || wrappingAlgorithmRow(algorithm).throughAes,
  ).map((algorithm) => ({ ...kind, algorithm })),
)
/** What a token does not unwrap: spec and algorithm. */
const REFUSED: Readonly<Record<string, readonly string[]>> = {
  SoftHSM: [],
  // It unwraps no private key of a curve, and lets one of RSA decrypt, unwrap and sign.
  'NSS softokn': CASES.filter(({ spec }) => /^(ECC|RSA)/.test(spec)).map(
    ({ spec, algorithm }) => `${spec} by ${algorithm}`,
  ),
}

for (const { name, missing, outcome, make } of [softhsm, nss]) {
  if (missing !== undefined) console.log(`SKIPPED: imports on ${name}: ${missing}`)
  describe.skipIf(missing !== undefined)(name, () => {
    let token: MadeToken
    let handle: HsmHandle
    const refused: string[] = []

    beforeAll(async () => {
      token = await make()
      handle = await startHsm(token.settings, { log: () => undefined })
      await handle.objects.createCanary()
    })
    afterAll(async () => {
      await handle?.stop()
      await token?.remove()
    })

    test.each(CASES)('$spec by $algorithm', async ({ spec, usage, material, algorithm }) => {
      const { objects } = handle
      const kind = { spec, usage }
      const wrappingKeyId = newId()
      const keyId = randomUUID()
      const wanted = { id: wrappingKeyId, keyId, spec: 'RSA_2048', algorithm, kind } as const
      let spki: Buffer
      try {
        spki = await objects.makeWrappingKey(wanted)
      } catch (cause) {
        expect(cause).toMatchObject({ name: 'UnsupportedOperationException' })
        expect(await objects.listWrappingKeys()).toEqual([])
        refused.push(`${spec} by ${algorithm}`)
        return
      }
      const encryptedKeyMaterial = wrap(material(), spki, algorithm)
      const sent = { wrappingKeyId, algorithm, encryptedKeyMaterial, ...kind }
      const checkValue = await objects.checkMaterial(sent)
      const suite = spec === 'SYMMETRIC_DEFAULT' && 'suite' in outcome ? outcome.suite : undefined
      const id = newId()
      const key = { id, label: 'keyslot imported 1', suite, checkValue }
      const publicKey = await objects.importBackingKey({ ...sent, ...key })
      const proof = suite === undefined ? { ...kind, publicKey } : { suite }
      expect(await objects.provesBackingKey({ id, imported: true, ...proof })).toBe(true)
      await objects.destroyBackingKey(id)
      await objects.destroyWrappingKey(wrappingKeyId)
    })

    test('what it does not unwrap is known', () => {
      expect(refused).toEqual(REFUSED[name])
    })
  })
}

function wrap(material: Buffer, spki: Buffer, algorithm: WrappingAlgorithm): Buffer {
  const { hash: oaepHash, throughAes } = wrappingAlgorithmRow(algorithm)
  const key = createPublicKey({ key: spki, format: 'der', type: 'spki' })
  if (!throughAes) return publicEncrypt({ key, oaepHash }, material)
  const aesKey = randomBytes(32)
  return Buffer.concat([
    publicEncrypt({ key, oaepHash }, aesKey),
    wrapWithPadding(material, aesKey),
  ])
}

function newId(): string {
  return randomBytes(16).toString('hex')
}

/** The owner of key material, for tests of its import. */

import { constants, createCipheriv, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto'
import type { Services } from '../../../src/lifecycle/change.ts'
import { createKey } from '../../../src/lifecycle/create.ts'
import { importMaterial } from '../../../src/lifecycle/import/import.ts'
import { prepareImport } from '../../../src/lifecycle/import/wrapping-keys.ts'
import type { Authorised } from '../../../src/model/authorised.ts'
import { type WrappingAlgorithm, wrappingAlgorithmRow } from '../../../src/model/import/wrapping.ts'
import type { Key } from '../../../src/model/key.ts'
import { authorised, keyInput } from '../pair.ts'

/** Wraps material under a DER public key with node:crypto. */
export function wrap(material: Buffer, publicKey: Buffer, algorithm: WrappingAlgorithm): Buffer {
  const key = createPublicKey({ key: publicKey, format: 'der', type: 'spki' })
  const { hash, throughAes } = wrappingAlgorithmRow(algorithm)
  const padding = constants.RSA_PKCS1_OAEP_PADDING
  const oaep = (data: Buffer) => publicEncrypt({ key, padding, oaepHash: hash }, data)
  if (!throughAes) return oaep(material)
  const aesKey = randomBytes(32)
  const cipher = createCipheriv('id-aes256-wrap-pad', aesKey, Buffer.from('a65959a6', 'hex'))
  return Buffer.concat([oaep(aesKey), cipher.update(material), cipher.final()])
}

/** A key that waits for its import. */
export async function makeExternalKey(services: Services): Promise<Authorised<Key>> {
  return authorised(await createKey(services, { ...keyInput, origin: 'EXTERNAL' }))
}

/** Imports material that does not expire. */
export async function importInto(
  services: Services,
  key: Authorised<Key>,
  material: Buffer,
  algorithm: WrappingAlgorithm = 'RSA_AES_KEY_WRAP_SHA_256',
): Promise<Authorised<Key>> {
  const how = { algorithm, spec: 'RSA_2048' } as const
  const { publicKey, importToken } = await prepareImport(services, key, how)
  const encryptedKeyMaterial = wrap(material, publicKey, algorithm)
  return authorised(
    (await importMaterial(services, key, { importToken, encryptedKeyMaterial })).key,
  )
}

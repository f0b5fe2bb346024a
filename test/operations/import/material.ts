/** An owner of key material: wraps it as GetParametersForImport says, and imports it. */

import { constants, createCipheriv, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto'
import type { Service } from '../../../src/service.ts'
import { call, newKey } from '../service.ts'

type Import = Service['ImportKeyMaterial']['request']
type Wrapping = Service['GetParametersForImport']['request']

export const ALGORITHMS = [
  'RSAES_OAEP_SHA_1',
  'RSAES_OAEP_SHA_256',
  'RSA_AES_KEY_WRAP_SHA_1',
  'RSA_AES_KEY_WRAP_SHA_256',
] as const
export const WRAPPING_KEY_SPECS = ['RSA_2048', 'RSA_3072', 'RSA_4096'] as const

/** How tests wrap unless they are about it. */
const USUAL = { wrappingAlgorithm: 'RSAES_OAEP_SHA_1', wrappingKeySpec: 'RSA_2048' } as const

/** Wraps material under a DER public key with node:crypto. */
export function wrap(
  material: Buffer,
  publicKey: Buffer,
  algorithm: Wrapping['wrappingAlgorithm'] = USUAL.wrappingAlgorithm,
): Buffer {
  const key = createPublicKey({ key: publicKey, format: 'der', type: 'spki' })
  const oaepHash = algorithm?.endsWith('SHA_256') ? 'sha256' : 'sha1'
  const padding = constants.RSA_PKCS1_OAEP_PADDING
  const oaep = (data: Buffer) => publicEncrypt({ key, padding, oaepHash }, data)
  if (!algorithm?.startsWith('RSA_AES')) return oaep(material)
  const aesKey = randomBytes(32)
  const cipher = createCipheriv('id-aes256-wrap-pad', aesKey, Buffer.from('a65959a6', 'hex'))
  return Buffer.concat([oaep(aesKey), cipher.update(material), cipher.final()])
}

/** Asks for a wrapping key and wraps material under it: a request that only has to be sent. */
export async function prepared(
  keyId: string,
  material: Buffer,
  wrapping: Partial<Wrapping> = {},
): Promise<Pick<Import, 'keyId' | 'importToken' | 'encryptedKeyMaterial' | 'expirationModel'>> {
  const how = { ...USUAL, ...wrapping }
  const { importToken, publicKey } = await call('GetParametersForImport', { keyId, ...how })
  const encryptedKeyMaterial = wrap(material, publicKey, how.wrappingAlgorithm)
  const expirationModel = 'KEY_MATERIAL_DOES_NOT_EXPIRE'
  return { keyId, importToken, encryptedKeyMaterial, expirationModel }
}

/** Imports material that does not expire, unless the request says more. */
export async function importInto(
  keyId: string,
  material: Buffer,
  request: Partial<Import> = {},
  wrapping: Partial<Wrapping> = {},
): Promise<Service['ImportKeyMaterial']['response']> {
  return call('ImportKeyMaterial', { ...(await prepared(keyId, material, wrapping)), ...request })
}

/** A key that waits for its import. */
export function newExternalKey(request: Partial<Service['CreateKey']['request']> = {}) {
  return newKey({ origin: 'EXTERNAL', ...request })
}

/** A key with material. */
export async function newImportedKey(request: Partial<Import> = {}) {
  const key = await newExternalKey()
  const material = randomBytes(32)
  const { keyMaterialId } = await importInto(key.keyId, material, request)
  return { ...key, material, keyMaterialId }
}

/** When material imported with `expiring` ends, from a moment. */
export function expiring(nowMs: number, aheadMs: number) {
  return {
    expirationModel: 'KEY_MATERIAL_EXPIRES',
    validTo: new Date(nowMs + aheadMs),
  } as const
}

export async function stateOf(keyId: string) {
  return (await call('DescribeKey', { keyId })).keyMetadata?.keyState
}

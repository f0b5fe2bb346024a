/** Imports of what is not for symmetric encryption: keys that software has made work in the token. */

import {
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from 'node:crypto'
import { expect, test } from 'vitest'
import type { Service } from '../../../src/service.ts'
import { call, expectFailure, useService } from '../service.ts'
import { ALGORITHMS, importInto, newExternalKey, prepared, stateOf } from './material.ts'

useService()

const message = Buffer.from('made elsewhere, used here')
const pkcs8 = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'der' })
type KeySpec = NonNullable<Service['CreateKey']['request']['keySpec']>
type SigningAlgorithm = NonNullable<Service['Sign']['request']['signingAlgorithm']>

test.each([
  ['HMAC_224', 28, 'sha224'],
  ['HMAC_256', 32, 'sha256'],
  ['HMAC_384', 48, 'sha384'],
  ['HMAC_512', 64, 'sha512'],
] as const)('%s: MACs are those of the owner', async (keySpec, bytes, hash) => {
  const { keyId } = await newExternalKey({ keySpec, keyUsage: 'GENERATE_VERIFY_MAC' })
  const material = randomBytes(bytes)
  for (const wrappingAlgorithm of [ALGORITHMS[0], ALGORITHMS[2], ALGORITHMS[3]]) {
    expect(await importInto(keyId, material, {}, { wrappingAlgorithm })).not.toHaveProperty(
      'keyMaterialId',
    )
  }
  const macAlgorithm = `HMAC_${hash.toUpperCase().replace('SHA', 'SHA_')}` as 'HMAC_SHA_256'
  const { mac } = await call('GenerateMac', { keyId, message, macAlgorithm })
  expect(mac).toEqual(createHmac(hash, material).update(message).digest())
  await call('DeleteImportedKeyMaterial', { keyId })
  await expectFailure('GenerateMac', { keyId, message, macAlgorithm }, 'KMSInvalidStateException')
  const other = await prepared(keyId, randomBytes(bytes))
  await expectFailure('ImportKeyMaterial', other, 'IncorrectKeyMaterialException')
  await importInto(keyId, material)
  expect(await call('VerifyMac', { keyId, message, macAlgorithm, mac })).toMatchObject({
    macValid: true,
  })
})

test.each(ALGORITHMS)('HMAC_224: none of another length by %s', async (wrappingAlgorithm) => {
  const { keyId } = await newExternalKey({
    keySpec: 'HMAC_224',
    keyUsage: 'GENERATE_VERIFY_MAC',
  })
  for (const bytes of [27, 29, 32]) {
    const request = await prepared(keyId, randomBytes(bytes), { wrappingAlgorithm })
    await expectFailure('ImportKeyMaterial', request, 'IncorrectKeyMaterialException')
  }
})

test.each([
  ['ECC_NIST_P256', 'P-256', 'ECDSA_SHA_256', 'sha256'],
  ['ECC_NIST_P384', 'P-384', 'ECDSA_SHA_384', 'sha384'],
  ['ECC_NIST_P521', 'P-521', 'ECDSA_SHA_512', 'sha512'],
  ['ECC_SECG_P256K1', 'secp256k1', 'ECDSA_SHA_256', 'sha256'],
] as const)('%s: signatures are those of the owner', async (spec, namedCurve, algorithm, hash) => {
  const keySpec: KeySpec = spec
  const signingAlgorithm: SigningAlgorithm = algorithm
  const { keyId } = await newExternalKey({ keySpec, keyUsage: 'SIGN_VERIFY' })
  const { privateKey } = generateKeyPairSync('ec', { namedCurve })
  const ways = [ALGORITHMS[1], ALGORITHMS[2], ALGORITHMS[3]].filter(
    (way) => spec !== 'ECC_NIST_P521' || way !== ALGORITHMS[1],
  )
  for (const wrappingAlgorithm of ways) {
    await importInto(keyId, pkcs8(privateKey), {}, { wrappingAlgorithm })
    await call('DeleteImportedKeyMaterial', { keyId })
  }
  const other = await prepared(keyId, pkcs8(generateKeyPairSync('ec', { namedCurve }).privateKey), {
    wrappingAlgorithm: 'RSA_AES_KEY_WRAP_SHA_256',
  })
  await expectFailure('ImportKeyMaterial', other, 'IncorrectKeyMaterialException')
  const wrapping = { wrappingAlgorithm: 'RSA_AES_KEY_WRAP_SHA_256' } as const
  await importInto(keyId, pkcs8(privateKey), {}, wrapping)
  const { publicKey } = await call('GetPublicKey', { keyId })
  const ours = createPublicKey(privateKey)
  expect(publicKey).toEqual(ours.export({ type: 'spki', format: 'der' }))
  const { signature } = await call('Sign', { keyId, message, signingAlgorithm })
  expect(verify(hash, message, ours, signature)).toBe(true)
  const theirs = { keyId, message, signingAlgorithm, signature: sign(hash, message, privateKey) }
  expect(await call('Verify', theirs)).toMatchObject({ signatureValid: true })
})

test('ECC_NIST_EDWARDS25519: signatures are those of the owner, by every way', async () => {
  const edwards = { keySpec: 'ECC_NIST_EDWARDS25519', keyUsage: 'SIGN_VERIFY' } as const
  const { keyId } = await newExternalKey(edwards)
  const { privateKey } = generateKeyPairSync('ed25519')
  const ours = createPublicKey(privateKey)
  const signing = { keyId, message, signingAlgorithm: 'ED25519_SHA_512' } as const
  for (const wrappingAlgorithm of ALGORITHMS) {
    await importInto(keyId, pkcs8(privateKey), {}, { wrappingAlgorithm })
    const { publicKey } = await call('GetPublicKey', { keyId })
    expect(publicKey).toEqual(ours.export({ type: 'spki', format: 'der' }))
    expect((await call('Sign', signing)).signature).toEqual(sign(null, message, privateKey))
    await call('DeleteImportedKeyMaterial', { keyId })
  }
  const other = await prepared(keyId, pkcs8(generateKeyPairSync('ed25519').privateKey))
  await expectFailure('ImportKeyMaterial', other, 'IncorrectKeyMaterialException')
  // RFC 5958 lets the public half stand behind it.
  const point = ours.export({ type: 'spki', format: 'der' }).subarray(-32)
  const whole = Buffer.concat([
    Buffer.from('3051020101300506032b657004220420', 'hex'),
    pkcs8(privateKey).subarray(-32),
    Buffer.from('812100', 'hex'),
    point,
  ])
  await importInto(keyId, whole)
  expect((await call('Sign', signing)).signature).toEqual(sign(null, message, privateKey))
})

test.each([ALGORITHMS[0], ALGORITHMS[3]])(
  'ECC_NIST_EDWARDS25519: takes nothing else by %s',
  async (wrappingAlgorithm) => {
    const edwards = { keySpec: 'ECC_NIST_EDWARDS25519', keyUsage: 'SIGN_VERIFY' } as const
    const { keyId } = await newExternalKey(edwards)
    const seed = pkcs8(generateKeyPairSync('ed25519').privateKey)
    const others = [
      pkcs8(generateKeyPairSync('x25519').privateKey),
      pkcs8(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey),
      seed.subarray(-32),
      seed.subarray(0, -1),
      Buffer.concat([seed, Buffer.of(0)]),
      randomBytes(48),
    ]
    for (const material of others) {
      const request = await prepared(keyId, material, { wrappingAlgorithm })
      await expectFailure('ImportKeyMaterial', request, 'IncorrectKeyMaterialException')
    }
    expect(await stateOf(keyId)).toBe('PendingImport')
  },
)

test('takes no key of another curve, or what is no key', async () => {
  const { keyId } = await newExternalKey({ keySpec: 'ECC_NIST_P256', keyUsage: 'SIGN_VERIFY' })
  const wrapping = { wrappingAlgorithm: 'RSA_AES_KEY_WRAP_SHA_256' } as const
  const curves = ['P-384', 'secp256k1'].map((namedCurve) =>
    pkcs8(generateKeyPairSync('ec', { namedCurve }).privateKey),
  )
  for (const material of [...curves, randomBytes(32), randomBytes(138)]) {
    const request = await prepared(keyId, material, wrapping)
    const answer = await call('ImportKeyMaterial', request).catch(({ name }: Error) => name)
    expect(['IncorrectKeyMaterialException', 'InvalidCiphertextException']).toContain(answer)
  }
  expect(await stateOf(keyId)).toBe('PendingImport')
})

test('says which ways are not for imports', async () => {
  const failure = 'UnsupportedOperationException'
  const { keyId } = await newExternalKey({ keySpec: 'ECC_NIST_P521', keyUsage: 'SIGN_VERIFY' })
  const how = { wrappingAlgorithm: 'RSAES_OAEP_SHA_256', wrappingKeySpec: 'RSA_2048' } as const
  await expectFailure('GetParametersForImport', { keyId, ...how }, failure, 'P521')
})

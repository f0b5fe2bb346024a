/** Imports of RSA keys, and of keys for agreement, that software has made. */

import {
  constants,
  createECDH,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  publicEncrypt,
  verify,
} from 'node:crypto'
import { expect, test } from 'vitest'
import { call, expectFailure, useService } from '../service.ts'
import { importInto, newExternalKey, prepared } from './material.ts'

useService()

const message = Buffer.from('made elsewhere, used here')
const wrapping = { wrappingAlgorithm: 'RSA_AES_KEY_WRAP_SHA_256' } as const
const rsa = (modulusLength = 2048) => generateKeyPairSync('rsa', { modulusLength }).privateKey
const pkcs8 = (key: ReturnType<typeof rsa>) => key.export({ type: 'pkcs8', format: 'der' })

test('an RSA key signs as its owner does', async () => {
  const { keyId } = await newExternalKey({ keySpec: 'RSA_2048', keyUsage: 'SIGN_VERIFY' })
  const privateKey = rsa()
  await importInto(keyId, pkcs8(privateKey), {}, wrapping)
  const signingAlgorithm = 'RSASSA_PKCS1_V1_5_SHA_256'
  const { signature } = await call('Sign', { keyId, message, signingAlgorithm })
  expect(verify('sha256', message, createPublicKey(privateKey), signature)).toBe(true)
  const other = await prepared(keyId, pkcs8(rsa()), wrapping)
  await expectFailure('ImportKeyMaterial', other, 'IncorrectKeyMaterialException')
})

test('an RSA key decrypts what was encrypted to its owner; none of another size is taken', async () => {
  const { keyId } = await newExternalKey({ keySpec: 'RSA_2048', keyUsage: 'ENCRYPT_DECRYPT' })
  const short = await prepared(keyId, pkcs8(rsa(3072)), wrapping)
  await expectFailure('ImportKeyMaterial', short, 'IncorrectKeyMaterialException')
  const privateKey = rsa()
  await importInto(keyId, pkcs8(privateKey), {}, wrapping)
  const padding = constants.RSA_PKCS1_OAEP_PADDING
  const key = createPublicKey(privateKey)
  const ciphertextBlob = publicEncrypt({ key, padding, oaepHash: 'sha256' }, message)
  const encryptionAlgorithm = 'RSAES_OAEP_SHA_256'
  const { plaintext } = await call('Decrypt', { keyId, ciphertextBlob, encryptionAlgorithm })
  expect(plaintext).toEqual(message)
})

test('a key whose number begins with zeros agrees', async () => {
  const { keyId } = await newExternalKey({ keySpec: 'ECC_NIST_P256', keyUsage: 'KEY_AGREEMENT' })
  const ecdh = createECDH('prime256v1')
  const number = Buffer.alloc(32)
  number[31] = 3
  ecdh.setPrivateKey(number)
  const [x, y] = [1, 33].map((at) => ecdh.getPublicKey().subarray(at, at + 32))
  const text = (bytes: Buffer | undefined) => bytes?.toString('base64url')
  const key = { kty: 'EC', crv: 'P-256', d: text(number), x: text(x), y: text(y) }
  const ours = createPrivateKey({ key, format: 'jwk' })
  await importInto(keyId, pkcs8(ours), {}, wrapping)
  const theirs = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey
  const publicKey = theirs.export({ type: 'spki', format: 'der' })
  const request = { keyId, keyAgreementAlgorithm: 'ECDH', publicKey } as const
  const { sharedSecret } = await call('DeriveSharedSecret', request)
  expect(sharedSecret).toEqual(diffieHellman({ privateKey: ours, publicKey: theirs }))
})

test('a key for agreement agrees', async () => {
  const { keyId } = await newExternalKey({ keySpec: 'ECC_NIST_P256', keyUsage: 'KEY_AGREEMENT' })
  const [ours, theirs] = [1, 2].map(() => generateKeyPairSync('ec', { namedCurve: 'P-256' }))
  if (ours === undefined || theirs === undefined) throw new Error('no pairs')
  await importInto(keyId, pkcs8(ours.privateKey), {}, wrapping)
  const { sharedSecret } = await call('DeriveSharedSecret', {
    keyId,
    keyAgreementAlgorithm: 'ECDH',
    publicKey: theirs.publicKey.export({ type: 'spki', format: 'der' }),
  })
  const { privateKey } = theirs
  expect(sharedSecret).toEqual(diffieHellman({ privateKey, publicKey: ours.publicKey }))
})

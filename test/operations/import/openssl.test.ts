/**
 * Imports of keys that the openssl command has made and wrapped, as AWS tells owners of keys to do:
 * keyslot and openssl then do the same with them.
 */

import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Service } from '../../../src/service.ts'
import { openssl } from '../../openssl.ts'
import { isFull } from '../../vectors/wycheproof.ts'
import { call, expectFailure, useService } from '../service.ts'
import { ALGORITHMS, newExternalKey, WRAPPING_KEY_SPECS } from './material.ts'

useService()

type Request<N extends keyof Service> = Service[N]['request']
type KeySpec = NonNullable<Request<'CreateKey'>['keySpec']>

const message = randomBytes(500)
const AES_KEY_WRAP = 'RSA_AES_KEY_WRAP_SHA_256'
const PADDING_IV = 'A65959A6'

/** Encrypts to a public key in DER with OAEP. */
function oaep(data: Buffer, publicKey: Buffer, hash: string): Buffer {
  const options = ['-pkeyopt', 'rsa_padding_mode:oaep', '-pkeyopt', `rsa_oaep_md:${hash}`]
  const encrypt = ['pkeyutl', '-encrypt', '-pubin', '-inkey', 'key', '-keyform', 'DER', ...options]
  return openssl([...encrypt, '-in', 'data', '-out', 'out'], { key: publicKey, data }, 'out')
}

function wrap(material: Buffer, publicKey: Buffer, algorithm: string): Buffer {
  const hash = algorithm.endsWith('SHA_256') ? 'sha256' : 'sha1'
  if (!algorithm.startsWith('RSA_AES')) return oaep(material, publicKey, hash)
  const aesKey = random(32)
  const cipher = ['enc', '-id-aes256-wrap-pad', '-K', aesKey.toString('hex'), '-iv', PADDING_IV]
  const wrapped = openssl([...cipher, '-in', 'data', '-out', 'out'], { data: material }, 'out')
  return Buffer.concat([oaep(aesKey, publicKey, hash), wrapped])
}

function random(bytes: number): Buffer {
  return openssl(['rand', '-out', 'out', String(bytes)], {}, 'out')
}

/** A private key in PKCS #8, of which the command writes other forms where it is not told. */
function made(algorithm: string, option: string): Buffer {
  const generate = ['genpkey', '-algorithm', algorithm, '-pkeyopt', option, '-out', 'out']
  const convert = ['pkcs8', '-topk8', '-nocrypt', '-in', 'key', '-outform', 'DER', '-out', 'out']
  return openssl(convert, { key: openssl(generate, {}, 'out') }, 'out')
}

function publicHalfOf(key: Buffer): Buffer {
  const half = ['pkey', '-inform', 'DER', '-in', 'key', '-pubout', '-outform', 'DER', '-out', 'out']
  return openssl(half, { key }, 'out')
}

async function importInto(
  keyId: string,
  material: Buffer,
  wrappingAlgorithm: Request<'GetParametersForImport'>['wrappingAlgorithm'],
  wrappingKeySpec: (typeof WRAPPING_KEY_SPECS)[number] = 'RSA_2048',
): Promise<void> {
  const how = { keyId, wrappingAlgorithm, wrappingKeySpec }
  const { importToken, publicKey } = await call('GetParametersForImport', how)
  const encryptedKeyMaterial = wrap(material, publicKey, wrappingAlgorithm ?? '')
  const expirationModel = 'KEY_MATERIAL_DOES_NOT_EXPIRE'
  await call('ImportKeyMaterial', { keyId, importToken, encryptedKeyMaterial, expirationModel })
}

async function newKey(keySpec: KeySpec, keyUsage: Request<'CreateKey'>['keyUsage']) {
  return (await newExternalKey({ keySpec, keyUsage })).keyId
}

/** In full, every algorithm under every wrapping key spec. */
const WAYS = ALGORITHMS.flatMap((algorithm) =>
  WRAPPING_KEY_SPECS.filter((spec) => isFull || spec === 'RSA_2048').map(
    (spec) => [algorithm, spec] as const,
  ),
)
const PAIRS = [
  ['ECC_NIST_P256', 'EC', 'ec_paramgen_curve:P-256', 'ECDSA_SHA_256'],
  ['ECC_NIST_P384', 'EC', 'ec_paramgen_curve:P-384', 'ECDSA_SHA_384'],
  ['ECC_NIST_P521', 'EC', 'ec_paramgen_curve:P-521', 'ECDSA_SHA_512'],
  ['ECC_SECG_P256K1', 'EC', 'ec_paramgen_curve:secp256k1', 'ECDSA_SHA_256'],
  ['RSA_2048', 'RSA', 'rsa_keygen_bits:2048', 'RSASSA_PKCS1_V1_5_SHA_256'],
  ['RSA_3072', 'RSA', 'rsa_keygen_bits:3072', 'RSASSA_PKCS1_V1_5_SHA_384'],
  ['RSA_4096', 'RSA', 'rsa_keygen_bits:4096', 'RSASSA_PKCS1_V1_5_SHA_512'],
] as const
/** The longest take their time. */
const PAIRS_TRIED = PAIRS.filter(([spec]) => isFull || !/3072|4096/.test(spec))

test('a key of AES, by every way: it is the same key each time', { timeout: 120_000 }, async () => {
  const keyId = await newKey('SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT')
  const material = random(32)
  const blobs: Buffer[] = []
  for (const [algorithm, spec] of WAYS) {
    await importInto(keyId, material, algorithm, spec)
    const { ciphertextBlob } = await call('Encrypt', { keyId, plaintext: message })
    blobs.push(ciphertextBlob)
    for (const blob of blobs) {
      const { plaintext } = await call('Decrypt', { ciphertextBlob: blob })
      expect(plaintext).toEqual(message)
    }
    await call('DeleteImportedKeyMaterial', { keyId })
    await expectFailure('Decrypt', { ciphertextBlob }, 'KMSInvalidStateException')
  }
})

describe.each([
  ['HMAC_224', 28, 'sha224', 'HMAC_SHA_224'],
  ['HMAC_256', 32, 'sha256', 'HMAC_SHA_256'],
  ['HMAC_384', 48, 'sha384', 'HMAC_SHA_384'],
  ['HMAC_512', 64, 'sha512', 'HMAC_SHA_512'],
] as const)('%s', (keySpec, bytes, hash, macAlgorithm) => {
  test('MACs agree with those of openssl', async () => {
    const keyId = await newKey(keySpec, 'GENERATE_VERIFY_MAC')
    const material = random(bytes)
    await importInto(keyId, material, 'RSAES_OAEP_SHA_256')
    const key = ['-macopt', `hexkey:${material.toString('hex')}`]
    const out = ['-binary', '-out', 'out']
    const theirs = [
      openssl(
        ['mac', '-digest', hash, ...key, '-in', 'in', ...out, 'HMAC'],
        { in: message },
        'out',
      ),
      openssl(['dgst', `-${hash}`, '-mac', 'HMAC', ...key, ...out, 'in'], { in: message }, 'out'),
    ]
    const { mac } = await call('GenerateMac', { keyId, message, macAlgorithm })
    expect(theirs).toEqual([mac, mac])
    expect(await call('VerifyMac', { keyId, message, macAlgorithm, mac })).toMatchObject({
      macValid: true,
    })
  })
})

describe.each(PAIRS_TRIED)('%s', (keySpec, algorithm, option, signingAlgorithm) => {
  test('either verifies what the other has signed', { timeout: 60_000 }, async () => {
    const keyId = await newKey(keySpec, 'SIGN_VERIFY')
    const key = made(algorithm, option)
    await importInto(keyId, key, AES_KEY_WRAP)
    const publicKey = publicHalfOf(key)
    expect((await call('GetPublicKey', { keyId })).publicKey).toEqual(publicKey)
    const digest = ['-rawin', '-digest', `sha${signingAlgorithm.slice(-3)}`]
    const { signature } = await call('Sign', { keyId, message, signingAlgorithm })
    const verify = ['pkeyutl', '-verify', '-pubin', '-inkey', 'key', '-keyform', 'DER', ...digest]
    const files = { key: publicKey, in: message, signature }
    const said = openssl([...verify, '-in', 'in', '-sigfile', 'signature'], files)
    expect(said.toString()).toContain('Verified Successfully')
    const sign = ['pkeyutl', '-sign', '-inkey', 'key', '-keyform', 'DER', ...digest]
    const theirs = openssl([...sign, '-in', 'in', '-out', 'out'], { key, in: message }, 'out')
    const request = { keyId, message, signingAlgorithm, signature: theirs }
    expect(await call('Verify', request)).toMatchObject({ signatureValid: true })
  })
})

test('an RSA key decrypts what openssl has encrypted to it', async () => {
  const keyId = await newKey('RSA_2048', 'ENCRYPT_DECRYPT')
  const key = made('RSA', 'rsa_keygen_bits:2048')
  await importInto(keyId, key, 'RSA_AES_KEY_WRAP_SHA_1')
  for (const [encryptionAlgorithm, hash] of [
    ['RSAES_OAEP_SHA_1', 'sha1'],
    ['RSAES_OAEP_SHA_256', 'sha256'],
  ] as const) {
    const data = message.subarray(0, 100)
    const ciphertextBlob = oaep(data, publicHalfOf(key), hash)
    const { plaintext } = await call('Decrypt', { keyId, ciphertextBlob, encryptionAlgorithm })
    expect(plaintext).toEqual(data)
  }
})

test.each([
  ['ECC_NIST_P256', 'P-256'],
  ['ECC_NIST_P384', 'P-384'],
  ['ECC_NIST_P521', 'P-521'],
] as const)('%s: a key for agreement agrees as openssl does', async (keySpec, curve) => {
  const keyId = await newKey(keySpec, 'KEY_AGREEMENT')
  const [key, other] = [1, 2].map(() => made('EC', `ec_paramgen_curve:${curve}`))
  if (key === undefined || other === undefined) throw new Error('no keys')
  await importInto(keyId, key, AES_KEY_WRAP)
  const publicKey = publicHalfOf(other)
  const derive = ['pkeyutl', '-derive', '-inkey', 'key', '-keyform', 'DER']
  const peer = ['-peerkey', 'peer', '-peerform', 'DER', '-out', 'out']
  const theirs = openssl([...derive, ...peer], { key, peer: publicKey }, 'out')
  const request = { keyId, keyAgreementAlgorithm: 'ECDH', publicKey } as const
  expect((await call('DeriveSharedSecret', request)).sharedSecret).toEqual(theirs)
})

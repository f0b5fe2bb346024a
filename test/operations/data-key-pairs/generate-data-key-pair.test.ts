/** GenerateDataKeyPair and its kin without plaintext: every kind of pair loads in openssl. */

import { createPublicKey } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { openssl } from '../../openssl.ts'
import { call, expectFailure, newKey, useService } from '../service.ts'

useService()

const SPECS = [
  'RSA_2048',
  'RSA_3072',
  'ECC_NIST_P256',
  'ECC_NIST_P384',
  'ECC_NIST_P521',
  'ECC_SECG_P256K1',
  'ECC_NIST_EDWARDS25519',
] as const
const encryptionContext = new Map([['purpose', 'test']])

describe.each(SPECS)('%s', (keyPairSpec) => {
  test('its halves belong together, and the private one decrypts', async () => {
    const { keyId, arn } = await newKey()
    const request = { keyId, keyPairSpec, encryptionContext }
    const pair = await call('GenerateDataKeyPair', request)
    expect(pair).toMatchObject({ keyId: arn, keyPairSpec, keyMaterialId: expect.any(String) })
    const derive = [
      'pkey',
      '-inform',
      'DER',
      '-in',
      'key',
      '-pubout',
      '-outform',
      'DER',
      '-out',
      'out',
    ]
    expect(openssl(derive, { key: pair.privateKeyPlaintext }, 'out')).toEqual(pair.publicKey)
    if (keyPairSpec !== 'ECC_NIST_EDWARDS25519') {
      const check = ['pkey', '-inform', 'DER', '-in', 'key', '-check', '-noout']
      expect(openssl(check, { key: pair.privateKeyPlaintext }).toString()).toContain('valid')
    }
    const ciphertextBlob = pair.privateKeyCiphertextBlob
    const { plaintext } = await call('Decrypt', { ciphertextBlob, encryptionContext })
    expect(plaintext).toEqual(pair.privateKeyPlaintext)
    await expectFailure('Decrypt', { ciphertextBlob }, 'InvalidCiphertextException')

    const without = await call('GenerateDataKeyPairWithoutPlaintext', request)
    expect(Object.keys(without).toSorted()).toEqual(
      ['keyId', 'keyMaterialId', 'keyPairSpec', 'privateKeyCiphertextBlob', 'publicKey'].toSorted(),
    )
    const opened = await call('Decrypt', {
      ciphertextBlob: without.privateKeyCiphertextBlob,
      encryptionContext,
    })
    const half = openssl(derive, { key: opened.plaintext }, 'out')
    expect(createPublicKey({ key: half, format: 'der', type: 'spki' })).toBeDefined()
    expect(half).toEqual(without.publicKey)
  })
})

test('refuses keys that make no data keys, and pairs that keyslot makes none of', async () => {
  const { keyId } = await newKey({ keySpec: 'RSA_2048', keyUsage: 'ENCRYPT_DECRYPT' })
  const { keyId: symmetric } = await newKey()
  for (const operation of ['GenerateDataKeyPair', 'GenerateDataKeyPairWithoutPlaintext'] as const) {
    await expectFailure(
      operation,
      { keyId, keyPairSpec: 'ECC_NIST_P256' },
      'InvalidKeyUsageException',
    )
    const sm2 = { keyId: symmetric, keyPairSpec: 'SM2' } as const
    await expectFailure(operation, sm2, 'UnsupportedOperationException')
    const dryRun = { keyId: symmetric, keyPairSpec: 'RSA_2048', dryRun: true } as const
    await expectFailure(operation, dryRun, 'DryRunOperationException')
  }
})

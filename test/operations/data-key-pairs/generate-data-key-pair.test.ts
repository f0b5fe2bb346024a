/** GenerateDataKeyPair and its kin without plaintext: every kind of pair loads in openssl, and signs. */

import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { openssl } from '../../openssl.ts'
import { call, expectFailure, newKey, useService } from '../service.ts'

useService()

const SPECS = [
  'RSA_2048',
  'RSA_3072',
  'RSA_4096',
  'ECC_NIST_P256',
  'ECC_NIST_P384',
  'ECC_NIST_P521',
  'ECC_SECG_P256K1',
  'ECC_NIST_EDWARDS25519',
] as const
const encryptionContext = new Map([['purpose', 'test']])
const message = randomBytes(300)
/** A pair of RSA_4096 takes a while to find. */
const timeout = 120_000

describe.each(SPECS)('%s', (keyPairSpec) => {
  const half = ['pkey', '-inform', 'DER', '-in', 'key', '-pubout', '-outform', 'DER']
  const publicHalfOf = (key: Buffer) => openssl([...half, '-out', 'out'], { key }, 'out')

  test('its halves belong together, and the private one decrypts', { timeout }, async () => {
    const { keyId, arn } = await newKey()
    const request = { keyId, keyPairSpec, encryptionContext }
    const pair = await call('GenerateDataKeyPair', request)
    expect(pair).toMatchObject({ keyId: arn, keyPairSpec, keyMaterialId: expect.any(String) })
    expect(publicHalfOf(pair.privateKeyPlaintext)).toEqual(pair.publicKey)
    if (keyPairSpec !== 'ECC_NIST_EDWARDS25519') {
      const check = ['pkey', '-inform', 'DER', '-in', 'key', '-check', '-noout']
      expect(openssl(check, { key: pair.privateKeyPlaintext }).toString()).toContain('valid')
    }
    usesPair(keyPairSpec, pair.privateKeyPlaintext, pair.publicKey)
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
    expect(publicHalfOf(opened.plaintext)).toEqual(without.publicKey)
  })
})

/** Signs with the private half of a pair, and verifies with the public one. */
function usesPair(spec: string, privateKey: Buffer, publicKey: Buffer): void {
  const digest = spec === 'ECC_NIST_EDWARDS25519' ? [] : ['-digest', 'sha256']
  const input = ['-keyform', 'DER', '-rawin', ...digest, '-in', 'message']
  const sign = ['pkeyutl', '-sign', '-inkey', 'key', ...input, '-out', 'out']
  const signature = openssl(sign, { key: privateKey, message }, 'out')
  const verify = ['pkeyutl', '-verify', '-pubin', '-inkey', 'key', ...input]
  const files = { key: publicKey, message, signature }
  const said = openssl([...verify, '-sigfile', 'signature'], files)
  expect(said.toString()).toContain('Verified Successfully')
}

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

/** GetPublicKey. */

import { createPublicKey } from 'node:crypto'
import { expect, test } from 'vitest'
import { call, expectFailure, newKey, useService } from '../service.ts'

useService()

test('gives the public half with what it is for', async () => {
  const { keyId, arn } = await newKey({ keySpec: 'ECC_NIST_P521', keyUsage: 'SIGN_VERIFY' })
  const answer = await call('GetPublicKey', { keyId })
  expect(answer).toEqual({
    keyId: arn,
    publicKey: expect.any(Buffer),
    customerMasterKeySpec: 'ECC_NIST_P521',
    keySpec: 'ECC_NIST_P521',
    keyUsage: 'SIGN_VERIFY',
    encryptionAlgorithms: [],
    signingAlgorithms: ['ECDSA_SHA_512'],
    keyAgreementAlgorithms: [],
  })
  const key = createPublicKey({ key: answer.publicKey, format: 'der', type: 'spki' })
  expect(key.asymmetricKeyDetails).toEqual({ namedCurve: 'secp521r1' })
})

test('keys without a public half have none to give', async () => {
  for (const request of [{}, { keySpec: 'HMAC_256', keyUsage: 'GENERATE_VERIFY_MAC' }] as const) {
    const { keyId } = await newKey(request)
    await expectFailure('GetPublicKey', { keyId }, 'UnsupportedOperationException')
  }
})

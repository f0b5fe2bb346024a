/** GenerateDataKeyWithoutPlaintext. */

import { expect, test } from 'vitest'
import { call, expectFailure, newKey, useService } from '../service.ts'

useService()

test('makes a data key and answers it encrypted only', async () => {
  const { keyId, arn } = await newKey()
  const request = { keyId, numberOfBytes: 64 }
  const answer = await call('GenerateDataKeyWithoutPlaintext', request)
  expect(Object.keys(answer).toSorted()).toEqual(['ciphertextBlob', 'keyId', 'keyMaterialId'])
  expect(answer.keyId).toBe(arn)
  const { ciphertextBlob } = answer
  expect((await call('Decrypt', { ciphertextBlob })).plaintext).toHaveLength(64)
})

test('wants one length, and answers a dry run', async () => {
  const { keyId } = await newKey()
  await expectFailure('GenerateDataKeyWithoutPlaintext', { keyId }, 'ValidationException')
  const dry = { keyId, keySpec: 'AES_128' as const, dryRun: true }
  await expectFailure('GenerateDataKeyWithoutPlaintext', dry, 'DryRunOperationException')
  const encryptionContext = new Map([['long', 'x'.repeat(8192)]])
  const long = { ...dry, encryptionContext }
  await expectFailure('GenerateDataKeyWithoutPlaintext', long, 'ValidationException')
})

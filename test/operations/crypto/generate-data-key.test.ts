/** GenerateDataKey. */

import { expect, test } from 'vitest'
import { call, expectFailure, newKey, useService } from '../service.ts'

useService()

test.each([
  [{ keySpec: 'AES_256' }, 32],
  [{ keySpec: 'AES_128' }, 16],
  [{ numberOfBytes: 1 }, 1],
  [{ numberOfBytes: 1024 }, 1024],
] as const)('makes a data key of %j', async (length, bytes) => {
  const { keyId, arn } = await newKey()
  const encryptionContext = new Map([['purpose', 'test']])
  const answer = await call('GenerateDataKey', { keyId, encryptionContext, ...length })
  expect(answer.plaintext).toHaveLength(bytes)
  expect(answer).toMatchObject({
    keyId: arn,
    keyMaterialId: expect.stringMatching(/^[0-9a-f]{64}$/),
  })
  const { ciphertextBlob } = answer
  const opened = await call('Decrypt', { ciphertextBlob, encryptionContext })
  expect(opened.plaintext).toEqual(answer.plaintext)
})

test('never makes the same data key twice', async () => {
  const { keyId } = await newKey()
  const made = await Promise.all(
    Array.from({ length: 50 }, () => call('GenerateDataKey', { keyId, keySpec: 'AES_256' })),
  )
  expect(new Set(made.map(({ plaintext }) => plaintext.toString('hex'))).size).toBe(50)
})

test('wants one length, and a possible one', async () => {
  const { keyId } = await newKey()
  await expectFailure('GenerateDataKey', { keyId }, 'ValidationException', 'number of bytes')
  const both = { keyId, keySpec: 'AES_256' as const, numberOfBytes: 32 }
  await expectFailure('GenerateDataKey', both, 'ValidationException')
  await expectFailure('GenerateDataKey', { keyId, numberOfBytes: 0 }, 'ValidationException')
  await expectFailure('GenerateDataKey', { keyId, numberOfBytes: 1025 }, 'ValidationException')
})

test('refuses recipients, and answers a dry run', async () => {
  const { keyId } = await newKey()
  const request = { keyId, keySpec: 'AES_256' as const }
  const recipient = { attestationDocument: Buffer.of(1) }
  const attested = { ...request, recipient }
  await expectFailure('GenerateDataKey', attested, 'UnsupportedOperationException')
  const dry = { ...request, dryRun: true }
  await expectFailure('GenerateDataKey', dry, 'DryRunOperationException')
  const encryptionContext = new Map([['long', 'x'.repeat(8192)]])
  await expectFailure('GenerateDataKey', { ...dry, encryptionContext }, 'ValidationException')
})

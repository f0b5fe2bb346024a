/** Encrypt. */

import { expect, test } from 'vitest'
import { call, expectFailure, MISSING, newKey, useService } from '../service.ts'

useService()

test('answers a ciphertext, the key ARN and the algorithm', async () => {
  const { keyId, arn } = await newKey()
  const plaintext = Buffer.from('attack at dawn')
  const answer = await call('Encrypt', { keyId, plaintext })
  expect(answer).toEqual({
    ciphertextBlob: expect.any(Buffer),
    keyId: arn,
    encryptionAlgorithm: 'SYMMETRIC_DEFAULT',
  })
  expect(answer.ciphertextBlob.includes(plaintext)).toBe(false)
})

test('never makes the same ciphertext twice', async () => {
  const { keyId } = await newKey()
  const plaintext = Buffer.alloc(32)
  const blobs = await Promise.all(
    Array.from({ length: 50 }, () => call('Encrypt', { keyId, plaintext })),
  )
  expect(new Set(blobs.map(({ ciphertextBlob }) => ciphertextBlob.toString('hex'))).size).toBe(50)
})

test.each([[1], [4096]])('encrypts %i bytes', async (length) => {
  const { keyId } = await newKey()
  const plaintext = Buffer.alloc(length, 7)
  const { ciphertextBlob } = await call('Encrypt', { keyId, plaintext })
  expect(ciphertextBlob.length).toBeLessThanOrEqual(6144)
  expect((await call('Decrypt', { ciphertextBlob })).plaintext).toEqual(plaintext)
})

test.each([[0], [4097]])('refuses %i bytes, and does not show them', async (length) => {
  const { keyId } = await newKey()
  const plaintext = Buffer.alloc(length, 'canary')
  const error = await call('Encrypt', { keyId, plaintext }).catch((e: Error) => e)
  expect(error).toMatchObject({ name: 'ValidationException' })
  expect((error as Error).message).not.toContain('canary')
})

test('refuses other algorithms than the key has', async () => {
  const { keyId } = await newKey()
  const request = { keyId, plaintext: Buffer.of(1) }
  const encryptionAlgorithm = 'RSAES_OAEP_SHA_256' as const
  await expectFailure('Encrypt', { ...request, encryptionAlgorithm }, 'InvalidKeyUsageException')
})

test('a dry run says that it would succeed, or why not', async () => {
  const { keyId } = await newKey()
  const request = { keyId, plaintext: Buffer.of(1), dryRun: true }
  await expectFailure('Encrypt', request, 'DryRunOperationException', 'would have succeeded')
  await expectFailure('Encrypt', { ...request, keyId: MISSING }, 'NotFoundException')
  const encryptionAlgorithm = 'RSAES_OAEP_SHA_256' as const
  await expectFailure('Encrypt', { ...request, encryptionAlgorithm }, 'InvalidKeyUsageException')
  await call('DisableKey', { keyId })
  await expectFailure('Encrypt', request, 'DisabledException')
  const { keyMetadata } = await call('CreateKey', {
    keySpec: 'RSA_2048',
    keyUsage: 'ENCRYPT_DECRYPT',
  })
  const pair = { ...request, keyId: keyMetadata?.keyId ?? '', encryptionAlgorithm }
  await expectFailure('Encrypt', pair, 'DryRunOperationException')
  const long = { ...pair, plaintext: Buffer.alloc(200) }
  await expectFailure('Encrypt', long, 'ValidationException', 'larger than 190 bytes')
})

test.each([
  ['an empty key', new Map([['', 'v']])],
  ['more than 8192 bytes', new Map([['k', 'v'.repeat(8192)]])],
])('refuses an encryption context with %s', async (_, encryptionContext) => {
  const { keyId } = await newKey()
  const request = { keyId, plaintext: Buffer.of(1), encryptionContext }
  await expectFailure('Encrypt', request, 'ValidationException', 'encryption context')
  const dry = { ...request, dryRun: true }
  await expectFailure('Encrypt', dry, 'ValidationException', 'encryption context')
})

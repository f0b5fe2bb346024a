/** ReEncrypt. */

import { expect, test } from 'vitest'
import { OPERATIONS } from '../../../src/operations/table.ts'
import { call, expectFailure, newKey, useService } from '../service.ts'

useService()

const plaintext = Buffer.from('moved')

test('moves a ciphertext to another key and another context', async () => {
  const [from, to] = [await newKey(), await newKey()]
  const sourceEncryptionContext = new Map([['old', '1']])
  const destinationEncryptionContext = new Map([['new', '2']])
  const first = await call('Encrypt', {
    keyId: from.keyId,
    plaintext,
    encryptionContext: sourceEncryptionContext,
  })
  const answer = await call('ReEncrypt', {
    ciphertextBlob: first.ciphertextBlob,
    sourceEncryptionContext,
    destinationKeyId: to.arn,
    destinationEncryptionContext,
  })
  const material = async (keyId: string) =>
    (await call('DescribeKey', { keyId })).keyMetadata?.currentKeyMaterialId
  expect(answer).toEqual({
    ciphertextBlob: expect.any(Buffer),
    sourceKeyId: from.arn,
    keyId: to.arn,
    sourceEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    destinationEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    sourceKeyMaterialId: await material(from.keyId),
    destinationKeyMaterialId: await material(to.keyId),
  })
  const { ciphertextBlob } = answer
  const opened = await call('Decrypt', {
    ciphertextBlob,
    encryptionContext: destinationEncryptionContext,
  })
  expect(opened).toMatchObject({ plaintext, keyId: to.arn })
  const old = { ciphertextBlob, encryptionContext: sourceEncryptionContext }
  await expectFailure('Decrypt', old, 'InvalidCiphertextException')
})

test('brings a ciphertext to the newest material of its own key', async () => {
  const { keyId } = await newKey()
  const first = await call('Encrypt', { keyId, plaintext })
  await call('RotateKeyOnDemand', { keyId })
  const { ciphertextBlob } = first
  const answer = await call('ReEncrypt', { ciphertextBlob, destinationKeyId: keyId })
  expect(answer.sourceKeyMaterialId).not.toBe(answer.destinationKeyMaterialId)
  const opened = await call('Decrypt', { ciphertextBlob: answer.ciphertextBlob })
  expect(opened.keyMaterialId).toBe(answer.destinationKeyMaterialId)
})

test('refuses a wrong source key, a wrong context and a missing destination', async () => {
  const [from, to] = [await newKey(), await newKey()]
  const { ciphertextBlob } = await call('Encrypt', { keyId: from.keyId, plaintext })
  const request = { ciphertextBlob, destinationKeyId: to.keyId }
  const wrong = { ...request, sourceKeyId: to.keyId }
  await expectFailure('ReEncrypt', wrong, 'IncorrectKeyException')
  const context = { ...request, sourceEncryptionContext: new Map([['a', 'b']]) }
  await expectFailure('ReEncrypt', context, 'InvalidCiphertextException')
  await expectFailure('ReEncrypt', { ciphertextBlob }, 'ValidationException', 'destinationKeyId')
  await expectFailure('ReEncrypt', { ...request, dryRun: true }, 'DryRunOperationException')
  await expectFailure('ReEncrypt', { ...wrong, dryRun: true }, 'IncorrectKeyException')
  const ignoring = { dryRun: true, dryRunModifiers: ['IGNORE_CIPHERTEXT' as const] }
  await expectFailure('ReEncrypt', { ...wrong, ...ignoring }, 'DryRunOperationException')
  await call('DisableKey', { keyId: to.keyId })
  await expectFailure('ReEncrypt', request, 'DisabledException')
})

test('asks of each key by its own context and algorithm', () => {
  const request = {
    ciphertextBlob: Buffer.of(1),
    sourceEncryptionAlgorithm: 'SYMMETRIC_DEFAULT' as const,
    sourceEncryptionContext: new Map([['side', 'source']]),
    destinationKeyId: 'alias/to',
    destinationEncryptionAlgorithm: 'RSAES_OAEP_SHA_256' as const,
    destinationEncryptionContext: new Map([['side', 'destination']]),
    grantTokens: [],
    dryRun: false,
    dryRunModifiers: [],
  }
  const { conditions, needs } = OPERATIONS.ReEncrypt
  const asked = Object.keys(needs).map((need) => [need, conditions?.(request, need)])
  expect(Object.fromEntries(asked)).toEqual({
    source: {
      'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT',
      'kms:EncryptionContext': request.sourceEncryptionContext,
    },
    destination: {
      'kms:EncryptionAlgorithm': 'RSAES_OAEP_SHA_256',
      'kms:EncryptionContext': request.destinationEncryptionContext,
    },
  })
})

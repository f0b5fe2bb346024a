/** CreateKey. */

import { expect, test } from 'vitest'
import { call, expectFailure, newKey, service, useService } from '../service.ts'

useService()

test('makes a symmetric encryption key by default, with the metadata that AWS documents', async () => {
  const { keyMetadata } = await call('CreateKey', { description: 'for tests' })
  const { account, region } = service().place
  const keyId = keyMetadata?.keyId ?? ''
  expect(keyId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(keyMetadata).toEqual({
    awsAccountId: account,
    keyId,
    arn: `arn:aws:kms:${region}:${account}:key/${keyId}`,
    creationDate: new Date(service().clock()),
    enabled: true,
    description: 'for tests',
    keyUsage: 'ENCRYPT_DECRYPT',
    keyState: 'Enabled',
    origin: 'AWS_KMS',
    keyManager: 'CUSTOMER',
    keySpec: 'SYMMETRIC_DEFAULT',
    customerMasterKeySpec: 'SYMMETRIC_DEFAULT',
    encryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
    signingAlgorithms: [],
    macAlgorithms: [],
    keyAgreementAlgorithms: [],
    multiRegion: false,
    currentKeyMaterialId: expect.stringMatching(/^[0-9a-f]{64}$/),
  })
})

test('takes every member that a symmetric encryption key allows', async () => {
  const { keyMetadata } = await call('CreateKey', {
    keySpec: 'SYMMETRIC_DEFAULT',
    keyUsage: 'ENCRYPT_DECRYPT',
    origin: 'AWS_KMS',
    tags: [{ tagKey: 'team', tagValue: 'blue' }],
  })
  const { tags } = await call('ListResourceTags', { keyId: keyMetadata?.keyId })
  expect(tags).toEqual([{ tagKey: 'team', tagValue: 'blue' }])
})

test('takes the deprecated name of KeySpec, but not both', async () => {
  await newKey({ customerMasterKeySpec: 'SYMMETRIC_DEFAULT' })
  await expectFailure(
    'CreateKey',
    { customerMasterKeySpec: 'SYMMETRIC_DEFAULT', keySpec: 'SYMMETRIC_DEFAULT' },
    'ValidationException',
    'CustomerMasterKeySpec',
  )
})

test('refuses a usage that the spec does not have', async () => {
  await expectFailure(
    'CreateKey',
    { keySpec: 'SYMMETRIC_DEFAULT', keyUsage: 'SIGN_VERIFY' },
    'ValidationException',
    'not compatible',
  )
  await expectFailure('CreateKey', { keySpec: 'RSA_2048' }, 'ValidationException', 'KeyUsage')
})

test.each([
  [{ keySpec: 'SM2', keyUsage: 'SIGN_VERIFY' }],
  [{ keySpec: 'ML_DSA_65', keyUsage: 'SIGN_VERIFY' }],
  [{ multiRegion: true }],
  [{ customKeyStoreId: 'cks-1' }],
  [{ xksKeyId: 'x' }],
] as const)('refuses %j clearly', async (request) => {
  await expectFailure('CreateKey', request, 'UnsupportedOperationException', 'does not offer')
})

test.each([
  [[{ tagKey: 'aws:x', tagValue: '' }], 'TagException'],
  [
    [
      { tagKey: 'a', tagValue: '1' },
      { tagKey: 'a', tagValue: '2' },
    ],
    'TagException',
  ],
  [Array.from({ length: 51 }, (_, i) => ({ tagKey: `t${i}`, tagValue: '' })), 'TagException'],
  [[{ tagKey: '', tagValue: 'x' }], 'ValidationException'],
  [[{ tagKey: 'k', tagValue: 'v'.repeat(257) }], 'ValidationException'],
])('refuses the tags %j', async (tags, failure) => {
  await expectFailure('CreateKey', { tags }, failure)
})

test('holds the description to 8192 characters', async () => {
  await newKey({ description: 'd'.repeat(8192) })
  const description = 'd'.repeat(8193)
  await expectFailure('CreateKey', { description }, 'ValidationException', '8192')
})

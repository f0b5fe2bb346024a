/** CreateAlias. */

import { expect, test } from 'vitest'
import { call, expectFailure, MISSING, newKey, service, useService } from '../service.ts'

useService()

test('makes an alias that the operations on keys take', async () => {
  const { keyId, arn } = await newKey()
  await call('CreateAlias', { aliasName: 'alias/team/blue_1-x', targetKeyId: arn })
  const { ciphertextBlob, keyId: used } = await call('Encrypt', {
    keyId: 'alias/team/blue_1-x',
    plaintext: Buffer.from('x'),
  })
  expect(used).toBe(arn)
  const { plaintext } = await call('Decrypt', { keyId: 'alias/team/blue_1-x', ciphertextBlob })
  expect(plaintext.toString()).toBe('x')
  const { aliases } = await call('ListAliases', { keyId })
  expect(aliases).toHaveLength(1)
})

test.each([
  ['blue', 'ValidationException'],
  ['alias/', 'InvalidAliasNameException'],
  ['alias/aws/s3', 'InvalidAliasNameException'],
  ['alias/with space', 'ValidationException'],
  ['alias/with:colon', 'ValidationException'],
  [`alias/${'x'.repeat(251)}`, 'ValidationException'],
  ['', 'ValidationException'],
])('refuses the name %j', async (aliasName, failure) => {
  const { keyId } = await newKey()
  await expectFailure('CreateAlias', { aliasName, targetKeyId: keyId }, failure)
})

test('takes a name of 256 characters', async () => {
  const { keyId } = await newKey()
  await call('CreateAlias', { aliasName: `alias/${'x'.repeat(250)}`, targetKeyId: keyId })
})

test('makes no alias twice, and none of what is not there', async () => {
  const { keyId } = await newKey()
  const aliasName = 'alias/once'
  await call('CreateAlias', { aliasName, targetKeyId: keyId })
  await expectFailure('CreateAlias', { aliasName, targetKeyId: keyId }, 'AlreadyExistsException')
  const gone = { aliasName: 'alias/none', targetKeyId: MISSING }
  await expectFailure('CreateAlias', gone, 'NotFoundException')
  const chained = { aliasName: 'alias/chain', targetKeyId: aliasName }
  await expectFailure('CreateAlias', chained, 'NotFoundException')
})

test('the same name is free in another account', async () => {
  const { keyId } = await newKey()
  await call('CreateAlias', { aliasName: 'alias/shared', targetKeyId: keyId })
  const other = service().clientOf('555566667777')
  const made = await other.call('CreateKey', {})
  const targetKeyId = made.keyMetadata?.keyId
  await other.call('CreateAlias', { aliasName: 'alias/shared', targetKeyId })
})

test('gives a key at most 50 aliases', async () => {
  const { keyId } = await newKey()
  for (let i = 0; i < 48; i += 1) {
    await call('CreateAlias', { aliasName: `alias/many-${i}`, targetKeyId: keyId })
  }
  const atOnce = Array.from({ length: 4 }, (_, i) =>
    call('CreateAlias', { aliasName: `alias/more-${i}`, targetKeyId: keyId }),
  )
  const refused = (await Promise.allSettled(atOnce)).filter(({ status }) => status === 'rejected')
  expect(refused).toMatchObject(Array(2).fill({ reason: { name: 'LimitExceededException' } }))
  const { aliases } = await call('ListAliases', { keyId })
  expect(aliases).toHaveLength(50)
})

test('refuses a key that is pending deletion, takes a disabled one', async () => {
  const { keyId } = await newKey()
  await call('DisableKey', { keyId })
  await call('CreateAlias', { aliasName: 'alias/off', targetKeyId: keyId })
  await call('ScheduleKeyDeletion', { keyId })
  const late = { aliasName: 'alias/late', targetKeyId: keyId }
  await expectFailure('CreateAlias', late, 'KMSInvalidStateException')
})

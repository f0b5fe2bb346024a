/** DeleteAlias. */

import { expect, test } from 'vitest'
import { call, expectFailure, newKey, useService } from '../service.ts'

useService()

test('deletes the alias and leaves the key', async () => {
  const { keyId } = await newKey()
  const aliasName = 'alias/brief'
  await call('CreateAlias', { aliasName, targetKeyId: keyId })
  await call('DeleteAlias', { aliasName })
  await expectFailure('DescribeKey', { keyId: aliasName }, 'NotFoundException')
  await expectFailure('DeleteAlias', { aliasName }, 'NotFoundException', 'is not found')
  expect((await call('DescribeKey', { keyId })).keyMetadata?.keyState).toBe('Enabled')
  await call('CreateAlias', { aliasName, targetKeyId: keyId })
})

test('works on an alias of a key that is pending deletion', async () => {
  const { keyId } = await newKey()
  const aliasName = 'alias/leaving'
  await call('CreateAlias', { aliasName, targetKeyId: keyId })
  await call('ScheduleKeyDeletion', { keyId })
  await call('DeleteAlias', { aliasName })
})

test.each([
  ['nonsense', 'ValidationException'],
  ['alias/aws/s3', 'InvalidAliasNameException'],
  ['', 'ValidationException'],
])('refuses the name %j', async (aliasName, failure) => {
  await expectFailure('DeleteAlias', { aliasName }, failure)
})

/** DescribeKey, and with it the ways of naming a key. */

import { expect, test } from 'vitest'
import { call, expectFailure, MISSING, newKey, service, useService } from '../service.ts'

useService()

test('finds a key by key id, key ARN, alias name and alias ARN', async () => {
  const { keyId, arn } = await newKey()
  await call('CreateAlias', { aliasName: 'alias/described', targetKeyId: keyId })
  const { account, region } = service().place
  const aliasArn = `arn:aws:kms:${region}:${account}:alias/described`
  for (const name of [keyId, arn, 'alias/described', aliasArn]) {
    const { keyMetadata } = await call('DescribeKey', { keyId: name })
    expect(keyMetadata?.arn).toBe(arn)
  }
})

test('says that a key is missing', async () => {
  const { account, region } = service().place
  const arn = (rest: string) => `arn:aws:kms:${region}:${account}:${rest}`
  await expectFailure('DescribeKey', { keyId: MISSING }, 'NotFoundException', 'does not exist')
  await expectFailure('DescribeKey', { keyId: arn(`key/${MISSING}`) }, 'NotFoundException')
  await expectFailure('DescribeKey', { keyId: 'alias/none' }, 'NotFoundException', 'alias/none')
  await expectFailure('DescribeKey', { keyId: arn('alias/none') }, 'NotFoundException')
})

test.each([
  ['', 'ValidationException'],
  ['x'.repeat(2049), 'ValidationException'],
  ['nonsense', 'NotFoundException'],
  ['arn:aws:kms', 'InvalidArnException'],
  ['arn:aws:s3:::bucket', 'InvalidArnException'],
  [`arn:aws:kms:eu-central-1:111122223333:key/nonsense`, 'InvalidArnException'],
  [`arn:aws:kms:eu-west-9:111122223333:key/${MISSING}`, 'NotFoundException'],
])('refuses the key id %j', async (keyId, failure) => {
  await expectFailure('DescribeKey', { keyId }, failure)
})

test('tells a stranger the same whether the key exists or not', async () => {
  const { arn, keyId } = await newKey()
  await call('CreateAlias', { aliasName: 'alias/hidden', targetKeyId: keyId })
  const { account, region } = service().place
  const stranger = service().clientOf('999988887777')
  const messages = new Set<string>()
  for (const name of [arn, arn.replace(keyId, MISSING)]) {
    const error = await stranger.call('DescribeKey', { keyId: name }).catch((e: Error) => e)
    expect(error).toMatchObject({ name: 'AccessDeniedException' })
    messages.add((error as Error).message.replace(name, 'NAME'))
  }
  for (const name of ['alias/hidden', 'alias/none']) {
    const aliasArn = `arn:aws:kms:${region}:${account}:${name}`
    const error = await stranger.call('DescribeKey', { keyId: aliasArn }).catch((e: Error) => e)
    expect(error).toMatchObject({ name: 'AccessDeniedException' })
    messages.add((error as Error).message.replace(aliasArn, 'NAME'))
  }
  expect(messages.size).toBe(1)
  // By its bare id the key would be in the stranger's own account, where it is not.
  await expect(stranger.call('DescribeKey', { keyId })).rejects.toMatchObject({
    name: 'NotFoundException',
  })
})

test('works in every state', async () => {
  const { keyId } = await newKey()
  const state = async () => (await call('DescribeKey', { keyId })).keyMetadata
  await call('DisableKey', { keyId })
  expect(await state()).toMatchObject({ keyState: 'Disabled', enabled: false })
  await call('ScheduleKeyDeletion', { keyId, pendingWindowInDays: 7 })
  expect(await state()).toMatchObject({
    keyState: 'PendingDeletion',
    enabled: false,
    deletionDate: new Date(service().clock() + 7 * 86_400_000),
  })
})

test('holds grant tokens to their limits, and takes none', async () => {
  const { keyId } = await newKey()
  const invalid = 'InvalidGrantTokenException'
  await expectFailure('DescribeKey', { keyId, grantTokens: ['token'] }, invalid)
  const grantTokens = Array.from({ length: 11 }, () => 'token')
  await expectFailure('DescribeKey', { keyId, grantTokens }, 'ValidationException')
  await expectFailure('DescribeKey', { keyId, grantTokens: [''] }, 'ValidationException')
})

/** UpdateKeyDescription. */

import { expect, test } from 'vitest'
import { call, expectFailure, MISSING, newKey, useService } from '../service.ts'

useService()

const description = async (keyId: string) =>
  (await call('DescribeKey', { keyId })).keyMetadata?.description

test('changes the description, to nothing too', async () => {
  const { keyId, arn } = await newKey({ description: 'old' })
  await call('UpdateKeyDescription', { keyId, description: 'new' })
  expect(await description(keyId)).toBe('new')
  await call('UpdateKeyDescription', { keyId: arn, description: '' })
  expect(await description(keyId)).toBe('')
})

test('works while the key is disabled, not while it is pending deletion', async () => {
  const { keyId } = await newKey()
  await call('DisableKey', { keyId })
  await call('UpdateKeyDescription', { keyId, description: 'off' })
  await call('ScheduleKeyDeletion', { keyId })
  await expectFailure(
    'UpdateKeyDescription',
    { keyId, description: 'gone' },
    'KMSInvalidStateException',
    'is pending deletion',
  )
  expect(await description(keyId)).toBe('off')
})

test('refuses aliases, missing keys and long texts', async () => {
  const { keyId } = await newKey()
  await call('CreateAlias', { aliasName: 'alias/described', targetKeyId: keyId })
  const text = { description: 'x' }
  const named = { keyId: 'alias/described', ...text }
  await expectFailure('UpdateKeyDescription', named, 'NotFoundException', 'Invalid keyId')
  await expectFailure('UpdateKeyDescription', { keyId: MISSING, ...text }, 'NotFoundException')
  const long = { keyId, description: 'd'.repeat(8193) }
  await expectFailure('UpdateKeyDescription', long, 'ValidationException')
})

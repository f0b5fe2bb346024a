/** ScheduleKeyDeletion. */

import { expect, test } from 'vitest'
import { call, days, expectFailure, newKey, service, useService } from '../service.ts'

useService()

test('waits 30 days unless told, and answers when', async () => {
  const { keyId, arn } = await newKey()
  expect(await call('ScheduleKeyDeletion', { keyId })).toEqual({
    keyId: arn,
    deletionDate: new Date(service().clock() + days(30)),
    keyState: 'PendingDeletion',
    pendingWindowInDays: 30,
  })
})

test.each([[6], [31], [0], [-1]])('refuses a window of %i days', async (pendingWindowInDays) => {
  const { keyId } = await newKey()
  await expectFailure('ScheduleKeyDeletion', { keyId, pendingWindowInDays }, 'ValidationException')
})

test.each([[7], [30]])('takes a window of %i days', async (pendingWindowInDays) => {
  const { keyId } = await newKey()
  await call('ScheduleKeyDeletion', { keyId, pendingWindowInDays })
})

test('takes a disabled key, and no key twice', async () => {
  const { keyId } = await newKey()
  await call('DisableKey', { keyId })
  await call('ScheduleKeyDeletion', { keyId })
  await expectFailure('ScheduleKeyDeletion', { keyId }, 'KMSInvalidStateException', 'pending')
  await expectFailure('Encrypt', { keyId, plaintext: Buffer.of(1) }, 'KMSInvalidStateException')
})

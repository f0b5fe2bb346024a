/** CancelKeyDeletion. */

import { expect, test } from 'vitest'
import { call, days, expectFailure, newKey, service, useService } from '../service.ts'

useService()

test('keeps the key, disabled, and no job destroys it', async () => {
  const { keyId, arn } = await newKey()
  const plaintext = Buffer.from('kept')
  const { ciphertextBlob } = await call('Encrypt', { keyId, plaintext })
  await call('ScheduleKeyDeletion', { keyId, pendingWindowInDays: 7 })
  expect(await call('CancelKeyDeletion', { keyId })).toEqual({ keyId: arn })
  const { keyMetadata } = await call('DescribeKey', { keyId })
  expect(keyMetadata).toMatchObject({ keyState: 'Disabled' })
  expect(keyMetadata?.deletionDate).toBeUndefined()
  service().moveClock(days(40))
  await service().runJobs()
  await call('EnableKey', { keyId })
  expect((await call('Decrypt', { ciphertextBlob })).plaintext).toEqual(plaintext)
})

test('refuses a key that is not pending deletion', async () => {
  const { keyId } = await newKey()
  const words = 'is not pending deletion'
  await expectFailure('CancelKeyDeletion', { keyId }, 'KMSInvalidStateException', words)
  await call('DisableKey', { keyId })
  await expectFailure('CancelKeyDeletion', { keyId }, 'KMSInvalidStateException', words)
})

/** DestroyDueKey, through the job that calls it. */

import { expect, test } from 'vitest'
import { call, days, expectFailure, newKey, service, useService } from '../service.ts'

useService()

test('destroys the key and its aliases when the window has ended, not before', async () => {
  const { keyId } = await newKey()
  await call('RotateKeyOnDemand', { keyId })
  const aliasName = 'alias/doomed'
  await call('CreateAlias', { aliasName, targetKeyId: keyId })
  const plaintext = Buffer.from('lost')
  const { ciphertextBlob } = await call('Encrypt', { keyId, plaintext })
  const before = await service().backingKeysInToken()
  await call('ScheduleKeyDeletion', { keyId, pendingWindowInDays: 7 })
  service().moveClock(days(7) - 1)
  await service().runJobs()
  expect((await call('DescribeKey', { keyId })).keyMetadata?.keyState).toBe('PendingDeletion')
  service().moveClock(1)
  await service().runJobs()
  await expectFailure('DescribeKey', { keyId }, 'NotFoundException')
  await expectFailure('DescribeKey', { keyId: aliasName }, 'NotFoundException')
  await expectFailure('Decrypt', { ciphertextBlob }, 'AccessDeniedException')
  expect(await service().backingKeysInToken()).toBe(before - 2)
  const { keys } = await call('ListKeys', {})
  expect(keys.map((key) => key.keyId)).not.toContain(keyId)
})

test('a clock that jumps back destroys nothing', async () => {
  const { keyId } = await newKey()
  await call('ScheduleKeyDeletion', { keyId, pendingWindowInDays: 7 })
  service().moveClock(-days(40))
  await service().runJobs()
  service().moveClock(days(40))
  await service().runJobs()
  await call('CancelKeyDeletion', { keyId })
})

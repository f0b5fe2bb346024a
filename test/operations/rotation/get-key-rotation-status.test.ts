/** GetKeyRotationStatus. */

import { expect, test } from 'vitest'
import { call, days, expectFailure, MISSING, newKey, service, useService } from '../service.ts'

useService()

test('is off for a new key', async () => {
  const { keyId } = await newKey()
  expect(await call('GetKeyRotationStatus', { keyId })).toEqual({
    keyRotationEnabled: false,
    keyId,
  })
})

test('stays while the key is disabled, and is off while it waits for its deletion', async () => {
  const { keyId } = await newKey()
  await call('EnableKeyRotation', { keyId, rotationPeriodInDays: 90 })
  const status = () => call('GetKeyRotationStatus', { keyId })
  const on = {
    keyRotationEnabled: true,
    keyId,
    rotationPeriodInDays: 90,
    nextRotationDate: new Date(service().clock() + days(90)),
  }
  expect(await status()).toEqual(on)
  await call('DisableKey', { keyId })
  expect(await status()).toEqual(on)
  await call('ScheduleKeyDeletion', { keyId })
  expect(await status()).toMatchObject({ keyRotationEnabled: false })
  await call('CancelKeyDeletion', { keyId })
  expect(await status()).toEqual(on)
})

test('refuses what is not there', async () => {
  await expectFailure('GetKeyRotationStatus', { keyId: MISSING }, 'NotFoundException')
})

/** EnableKeyRotation. */

import { expect, test } from 'vitest'
import { call, days, expectFailure, MISSING, newKey, service, useService } from '../service.ts'

useService()

test('rotates every 365 days unless told, from now on', async () => {
  const { keyId } = await newKey()
  await call('EnableKeyRotation', { keyId })
  expect(await call('GetKeyRotationStatus', { keyId })).toMatchObject({
    keyRotationEnabled: true,
    rotationPeriodInDays: 365,
    nextRotationDate: new Date(service().clock() + days(365)),
  })
})

test.each([[90], [2560]])('takes a period of %i days', async (rotationPeriodInDays) => {
  const { keyId } = await newKey()
  await call('EnableKeyRotation', { keyId, rotationPeriodInDays })
  expect(await call('GetKeyRotationStatus', { keyId })).toMatchObject({ rotationPeriodInDays })
})

test.each([[89], [2561], [0]])('refuses a period of %i days', async (rotationPeriodInDays) => {
  const { keyId } = await newKey()
  await expectFailure('EnableKeyRotation', { keyId, rotationPeriodInDays }, 'ValidationException')
})

test('asking again changes the period or nothing; the date is not put off', async () => {
  const { keyId } = await newKey()
  await call('EnableKeyRotation', { keyId, rotationPeriodInDays: 100 })
  const { nextRotationDate } = await call('GetKeyRotationStatus', { keyId })
  service().moveClock(days(1))
  await call('EnableKeyRotation', { keyId, rotationPeriodInDays: 100 })
  expect(await call('GetKeyRotationStatus', { keyId })).toMatchObject({ nextRotationDate })
  // Without a period it is AWS's default, whatever it was before.
  await call('EnableKeyRotation', { keyId })
  expect(await call('GetKeyRotationStatus', { keyId })).toMatchObject({ rotationPeriodInDays: 365 })
})

test('refuses keys that are off, on their way out or not there', async () => {
  const { keyId } = await newKey()
  await call('DisableKey', { keyId })
  await expectFailure('EnableKeyRotation', { keyId }, 'DisabledException')
  await call('ScheduleKeyDeletion', { keyId })
  await expectFailure('EnableKeyRotation', { keyId }, 'KMSInvalidStateException')
  await expectFailure('EnableKeyRotation', { keyId: MISSING }, 'NotFoundException')
})

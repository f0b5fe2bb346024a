/** DisableKeyRotation. */

import { expect, test } from 'vitest'
import { call, days, expectFailure, newKey, service, useService } from '../service.ts'

useService()

test('no rotation comes after it', async () => {
  const { keyId } = await newKey()
  await call('EnableKeyRotation', { keyId, rotationPeriodInDays: 90 })
  await call('DisableKeyRotation', { keyId })
  expect(await call('GetKeyRotationStatus', { keyId })).toEqual({
    keyRotationEnabled: false,
    keyId,
  })
  service().moveClock(days(91))
  await service().runJobs()
  expect((await call('ListKeyRotations', { keyId })).rotations).toEqual([])
})

test('twice is no error; a disabled key is one', async () => {
  const { keyId } = await newKey()
  await call('DisableKeyRotation', { keyId })
  await call('DisableKey', { keyId })
  await expectFailure('DisableKeyRotation', { keyId }, 'DisabledException')
})

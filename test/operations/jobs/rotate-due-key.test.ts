/** RotateDueKey, through the job that calls it. */

import { expect, test } from 'vitest'
import { call, days, newKey, service, useService } from '../service.ts'

useService()

const rotations = async (keyId: string) => (await call('ListKeyRotations', { keyId })).rotations

test('rotates when the period has ended, and again a period later', async () => {
  const { keyId } = await newKey()
  await call('EnableKeyRotation', { keyId, rotationPeriodInDays: 90 })
  const plaintext = Buffer.from('old')
  const { ciphertextBlob } = await call('Encrypt', { keyId, plaintext })
  service().moveClock(days(89))
  await service().runJobs()
  expect(await rotations(keyId)).toHaveLength(0)
  service().moveClock(days(1))
  await service().runJobs()
  await service().runJobs()
  expect(await rotations(keyId)).toMatchObject([{ rotationType: 'AUTOMATIC' }])
  service().moveClock(days(90))
  await service().runJobs()
  expect(await rotations(keyId)).toHaveLength(2)
  expect((await call('Decrypt', { ciphertextBlob })).plaintext).toEqual(plaintext)
})

test('leaves disabled keys alone, and catches up when they are back', async () => {
  const { keyId } = await newKey()
  await call('EnableKeyRotation', { keyId, rotationPeriodInDays: 90 })
  await call('DisableKey', { keyId })
  service().moveClock(days(200))
  await service().runJobs()
  expect(await rotations(keyId)).toHaveLength(0)
  await call('EnableKey', { keyId })
  await service().runJobs()
  expect(await rotations(keyId)).toHaveLength(1)
})

test('is audited as keyslot itself', async () => {
  const { keyId, arn } = await newKey()
  await call('EnableKeyRotation', { keyId, rotationPeriodInDays: 90 })
  service().moveClock(days(90))
  await service().runJobs()
  const records = service()
    .auditRecords()
    .filter(({ eventName, resources }) => eventName === 'RotateDueKey' && resources[0]?.ARN === arn)
  expect(records.map(({ outcome }) => outcome)).toEqual(['attempted', 'succeeded'])
  expect(records[0]).toMatchObject({ door: 'jobs', userIdentity: { type: 'keyslot' } })
})

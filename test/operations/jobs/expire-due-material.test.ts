/** ExpireDueMaterial, through the job that calls it. */

import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { expiring, importInto, newImportedKey, stateOf } from '../import/material.ts'
import { call, days, service, useService } from '../service.ts'

useService()

test('destroys what has expired, of keys in whatever state, and nothing else', async () => {
  const soon = expiring(service().clock(), days(1))
  const [enabled, disabled, pending] = [
    await newImportedKey(soon),
    await newImportedKey(soon),
    await newImportedKey(soon),
  ]
  const later = await newImportedKey(expiring(service().clock(), days(3)))
  const stays = await newImportedKey()
  await call('DisableKey', { keyId: disabled.keyId })
  await call('ScheduleKeyDeletion', { keyId: pending.keyId })
  const before = await service().backingKeysInToken()
  service().moveClock(days(1) - 1)
  await service().runJobs()
  expect(await service().backingKeysInToken()).toBe(before)
  service().moveClock(1)
  await service().runJobs()
  expect(await service().backingKeysInToken()).toBe(before - 3)
  const states = await Promise.all(
    [enabled, disabled, pending, later, stays].map(({ keyId }) => stateOf(keyId)),
  )
  expect(states).toEqual([
    'PendingImport',
    'PendingImport',
    'PendingDeletion',
    'Enabled',
    'Enabled',
  ])
  await importInto(enabled.keyId, enabled.material)
  expect(await stateOf(enabled.keyId)).toBe('Enabled')
})

test('forgets what expires before it is rotated to, and the key stays in use', async () => {
  const { keyId } = await newImportedKey()
  const request = { importType: 'NEW_KEY_MATERIAL' } as const
  await importInto(keyId, randomBytes(32), {
    ...request,
    ...expiring(service().clock(), days(1)),
  })
  service().moveClock(days(1))
  await service().runJobs()
  const all = { keyId, includeKeyMaterial: 'ALL_KEY_MATERIAL' } as const
  expect((await call('ListKeyRotations', all)).rotations).toHaveLength(1)
  expect(await stateOf(keyId)).toBe('Enabled')
})

test('is audited as keyslot itself', async () => {
  const { arn } = await newImportedKey(expiring(service().clock(), days(1)))
  service().moveClock(days(1))
  await service().runJobs()
  const records = service()
    .auditRecords()
    .filter(
      ({ eventName, resources }) => eventName === 'ExpireDueMaterial' && resources[0]?.ARN === arn,
    )
  expect(records.map(({ outcome }) => outcome)).toEqual(['attempted', 'succeeded'])
  expect(records[0]).toMatchObject({ door: 'jobs', userIdentity: { type: 'keyslot' } })
})

/** RotateKeyOnDemand. */

import { expect, test } from 'vitest'
import { call, days, expectFailure, newKey, service, useService } from '../service.ts'

useService()

const plaintext = Buffer.from('older than the rotation')

test('makes new material and keeps the old: id, ARN and alias stay', async () => {
  const { keyId, arn } = await newKey()
  await call('CreateAlias', { aliasName: 'alias/rotating', targetKeyId: keyId })
  const blobs: Buffer[] = []
  const materials = new Set<string | undefined>()
  for (let i = 0; i < 4; i += 1) {
    const { ciphertextBlob } = await call('Encrypt', { keyId: 'alias/rotating', plaintext })
    blobs.push(ciphertextBlob)
    materials.add((await call('DescribeKey', { keyId })).keyMetadata?.currentKeyMaterialId)
    expect(await call('RotateKeyOnDemand', { keyId })).toEqual({ keyId })
  }
  expect(materials.size).toBe(4)
  const opened = await Promise.all(
    blobs.map((ciphertextBlob) => call('Decrypt', { ciphertextBlob })),
  )
  expect(opened.every((each) => each.plaintext.equals(plaintext) && each.keyId === arn)).toBe(true)
  expect(new Set(opened.map(({ keyMaterialId }) => keyMaterialId))).toEqual(materials)
})

test('leaves the automatic schedule as it is', async () => {
  const { keyId } = await newKey()
  await call('EnableKeyRotation', { keyId, rotationPeriodInDays: 90 })
  const { nextRotationDate } = await call('GetKeyRotationStatus', { keyId })
  service().moveClock(days(10))
  await call('RotateKeyOnDemand', { keyId })
  expect(await call('GetKeyRotationStatus', { keyId })).toMatchObject({ nextRotationDate })
})

test('two at once: one rotates, the other is told so or comes after', async () => {
  const { keyId } = await newKey()
  const calls = Array.from({ length: 6 }, () => call('RotateKeyOnDemand', { keyId }))
  const ended = await Promise.allSettled(calls)
  const refused = ended.filter((each) => each.status === 'rejected')
  for (const { reason } of refused) expect(reason).toMatchObject({ name: 'ConflictException' })
  const { rotations } = await call('ListKeyRotations', { keyId })
  expect(rotations).toHaveLength(ended.length - refused.length)
})

test('rotates at most 25 times on demand', async () => {
  const { keyId } = await newKey()
  for (let i = 0; i < 25; i += 1) await call('RotateKeyOnDemand', { keyId })
  await expectFailure('RotateKeyOnDemand', { keyId }, 'LimitExceededException', '25')
})

test('refuses keys that are off or on their way out', async () => {
  const { keyId } = await newKey()
  await call('DisableKey', { keyId })
  await expectFailure('RotateKeyOnDemand', { keyId }, 'DisabledException')
  await call('ScheduleKeyDeletion', { keyId })
  await expectFailure('RotateKeyOnDemand', { keyId }, 'KMSInvalidStateException')
})

/** DeleteImportedKeyMaterial. */

import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { call, expectFailure, newKey, service, useService } from '../service.ts'
import { importInto, newExternalKey, newImportedKey, stateOf } from './material.ts'

useService()

const plaintext = Buffer.from('of no use without its key')

test('leaves a key that cannot be used until the same material is back', async () => {
  const { keyId, arn, material, keyMaterialId } = await newImportedKey()
  const { ciphertextBlob } = await call('Encrypt', { keyId, plaintext })
  const before = await service().backingKeysInToken()
  expect(await call('DeleteImportedKeyMaterial', { keyId })).toEqual({ keyId: arn, keyMaterialId })
  expect(await service().backingKeysInToken()).toBe(before - 1)
  expect(await stateOf(keyId)).toBe('PendingImport')
  await expectFailure('Decrypt', { ciphertextBlob }, 'KMSInvalidStateException', 'pending import')
  await expectFailure('EnableKey', { keyId }, 'KMSInvalidStateException', 'pending import')
  expect(await call('DeleteImportedKeyMaterial', { keyId })).toEqual({ keyId: arn, keyMaterialId })
  await importInto(keyId, material)
  expect((await call('Decrypt', { ciphertextBlob })).plaintext).toEqual(plaintext)
})

test('deletes the one that is named; a key needs all that it has for good', async () => {
  const { keyId, material, keyMaterialId } = await newImportedKey()
  const first = (await call('Encrypt', { keyId, plaintext })).ciphertextBlob
  const second = randomBytes(32)
  const isNew = { importType: 'NEW_KEY_MATERIAL' } as const
  const { keyMaterialId: secondId } = await importInto(keyId, second, isNew)
  await call('RotateKeyOnDemand', { keyId })
  await call('DeleteImportedKeyMaterial', { keyId, keyMaterialId })
  expect(await stateOf(keyId)).toBe('PendingImport')
  const all = { keyId, includeKeyMaterial: 'ALL_KEY_MATERIAL' } as const
  expect((await call('ListKeyRotations', all)).rotations).toMatchObject([
    { keyMaterialId, importState: 'PENDING_IMPORT', keyMaterialState: 'NON_CURRENT' },
    { keyMaterialId: secondId, importState: 'IMPORTED', keyMaterialState: 'CURRENT' },
  ])
  await call('DeleteImportedKeyMaterial', { keyId })
  await importInto(keyId, material)
  expect(await stateOf(keyId)).toBe('PendingImport')
  await importInto(keyId, second)
  expect(await stateOf(keyId)).toBe('Enabled')
  expect((await call('Decrypt', { ciphertextBlob: first })).plaintext).toEqual(plaintext)
})

test('forgets material that waits for its rotation, and the key stays in use', async () => {
  const { keyId } = await newImportedKey()
  const isNew = { importType: 'NEW_KEY_MATERIAL' } as const
  const material = randomBytes(32)
  const { keyMaterialId } = await importInto(keyId, material, isNew)
  await call('DeleteImportedKeyMaterial', { keyId, keyMaterialId })
  expect(await stateOf(keyId)).toBe('Enabled')
  const all = { keyId, includeKeyMaterial: 'ALL_KEY_MATERIAL' } as const
  expect((await call('ListKeyRotations', all)).rotations).toHaveLength(1)
  await importInto(keyId, randomBytes(32), isNew)
  await call('RotateKeyOnDemand', { keyId })
  await importInto(keyId, material, isNew)
  expect((await call('ListKeyRotations', all)).rotations).toHaveLength(3)
})

test('leaves a key that is pending deletion so, and without material afterwards', async () => {
  const { keyId, material } = await newImportedKey()
  await call('ScheduleKeyDeletion', { keyId })
  await call('DeleteImportedKeyMaterial', { keyId })
  expect(await stateOf(keyId)).toBe('PendingDeletion')
  await call('CancelKeyDeletion', { keyId })
  expect(await stateOf(keyId)).toBe('PendingImport')
  await importInto(keyId, material)
  expect(await stateOf(keyId)).toBe('Enabled')
})

test('says of a key without material, and of one that is not imported, what it can', async () => {
  const empty = await newExternalKey()
  expect(await call('DeleteImportedKeyMaterial', { keyId: empty.keyId })).toEqual({
    keyId: empty.arn,
  })
  const missing = { keyId: empty.keyId, keyMaterialId: '0'.repeat(64) }
  await expectFailure('DeleteImportedKeyMaterial', missing, 'NotFoundException')
  const { keyId } = await newKey()
  await expectFailure('DeleteImportedKeyMaterial', { keyId }, 'UnsupportedOperationException')
})

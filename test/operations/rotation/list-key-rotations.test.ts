/** ListKeyRotations. */

import { expect, test } from 'vitest'
import { call, expectFailure, newKey, service, useService } from '../service.ts'

useService()

test('lists rotations oldest first, page by page', async () => {
  const { keyId } = await newKey()
  for (let i = 0; i < 3; i += 1) {
    service().moveClock(1000)
    await call('RotateKeyOnDemand', { keyId })
  }
  const first = await call('ListKeyRotations', { keyId, limit: 2 })
  expect(first.rotations).toHaveLength(2)
  const { nextMarker: marker } = first
  const second = await call('ListKeyRotations', { keyId, limit: 2, marker })
  const all = [...first.rotations, ...second.rotations]
  expect(all).toHaveLength(3)
  expect(all.at(-1)).toMatchObject({
    keyId,
    rotationType: 'ON_DEMAND',
    rotationDate: new Date(service().clock()),
  })
  const other = { keyId, includeKeyMaterial: 'ALL_KEY_MATERIAL' as const, marker }
  await expectFailure('ListKeyRotations', other, 'InvalidMarkerException')
})

test('lists all key material when asked, the first one too', async () => {
  const { keyId } = await newKey()
  await call('RotateKeyOnDemand', { keyId })
  const request = { keyId, includeKeyMaterial: 'ALL_KEY_MATERIAL' as const }
  const { rotations } = await call('ListKeyRotations', request)
  expect(rotations.map(({ keyMaterialState }) => keyMaterialState)).toEqual([
    'NON_CURRENT',
    'CURRENT',
  ])
  expect(rotations[0]?.rotationDate).toBeUndefined()
  expect(rotations[1]?.rotationType).toBe('ON_DEMAND')
})

test('a key that has not rotated has an empty list', async () => {
  const { keyId } = await newKey()
  expect(await call('ListKeyRotations', { keyId })).toEqual({ rotations: [], truncated: false })
})

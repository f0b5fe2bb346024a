/** ListResourceTags. */

import { expect, test } from 'vitest'
import { call, expectFailure, newKey, useService } from '../service.ts'

useService()

test('lists tags page by page, in any state', async () => {
  const tags = Array.from({ length: 5 }, (_, i) => ({ tagKey: `t${i}`, tagValue: `v${i}` }))
  const { keyId } = await newKey({ tags })
  await call('ScheduleKeyDeletion', { keyId })
  const first = await call('ListResourceTags', { keyId, limit: 3 })
  expect(first.tags).toEqual(tags.slice(0, 3))
  const second = await call('ListResourceTags', { keyId, limit: 3, marker: first.nextMarker })
  expect(second).toEqual({ tags: tags.slice(3), truncated: false })
  const other = await newKey()
  const foreign = { keyId: other.keyId, marker: first.nextMarker }
  await expectFailure('ListResourceTags', foreign, 'InvalidMarkerException')
})

test('a key without tags has an empty list', async () => {
  const { keyId } = await newKey()
  expect(await call('ListResourceTags', { keyId })).toEqual({ tags: [], truncated: false })
})

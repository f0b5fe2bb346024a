/** TagResource. */

import { expect, test } from 'vitest'
import { call, expectFailure, MISSING, newKey, useService } from '../service.ts'

useService()

const tag = (tagKey: string, tagValue = '') => ({ tagKey, tagValue })
const tagsOf = async (keyId: string) => (await call('ListResourceTags', { keyId })).tags

test('adds tags and changes their values', async () => {
  const { keyId } = await newKey({ tags: [tag('a', '1')] })
  await call('TagResource', { keyId, tags: [tag('b', '2'), tag('a', '3')] })
  expect(await tagsOf(keyId)).toEqual([tag('a', '3'), tag('b', '2')])
})

test('keys of tags are case-sensitive', async () => {
  const { keyId } = await newKey()
  await call('TagResource', { keyId, tags: [tag('Team', 'x'), tag('team', 'y')] })
  expect(await tagsOf(keyId)).toHaveLength(2)
})

test('gives a key at most 50 tags, and then changes none', async () => {
  const { keyId } = await newKey()
  await call('TagResource', { keyId, tags: Array.from({ length: 50 }, (_, i) => tag(`t${i}`)) })
  const more = { keyId, tags: [tag('t0', 'new'), tag('one-more')] }
  await expectFailure('TagResource', more, 'LimitExceededException')
  const first = (await tagsOf(keyId)).find(({ tagKey }) => tagKey === 't0')
  expect(first?.tagValue).toBe('')
  await call('TagResource', { keyId, tags: [tag('t0', 'new')] })
})

test('refuses what AWS refuses', async () => {
  const { keyId } = await newKey()
  await expectFailure('TagResource', { keyId, tags: [] }, 'ValidationException')
  await expectFailure('TagResource', { keyId, tags: [tag('AWS:x')] }, 'TagException')
  await expectFailure('TagResource', { keyId, tags: [tag('a'), tag('a')] }, 'TagException')
  await expectFailure('TagResource', { keyId, tags: [tag('k'.repeat(129))] }, 'ValidationException')
  await expectFailure('TagResource', { keyId: MISSING, tags: [tag('a')] }, 'NotFoundException')
  await call('ScheduleKeyDeletion', { keyId })
  await expectFailure('TagResource', { keyId, tags: [tag('a')] }, 'KMSInvalidStateException')
})

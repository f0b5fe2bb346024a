/** UntagResource. */

import { expect, test } from 'vitest'
import { call, expectFailure, newKey, useService } from '../service.ts'

useService()

test('removes tags; those that are not there are ignored', async () => {
  const tags = ['a', 'b', 'c'].map((tagKey) => ({ tagKey, tagValue: '' }))
  const { keyId } = await newKey({ tags })
  await call('UntagResource', { keyId, tagKeys: ['a', 'c', 'none'] })
  const left = (await call('ListResourceTags', { keyId })).tags
  expect(left.map(({ tagKey }) => tagKey)).toEqual(['b'])
})

test('refuses what AWS refuses', async () => {
  const { keyId } = await newKey()
  await expectFailure('UntagResource', { keyId, tagKeys: [] }, 'ValidationException')
  await expectFailure('UntagResource', { keyId, tagKeys: [''] }, 'ValidationException')
  await call('ScheduleKeyDeletion', { keyId })
  await expectFailure('UntagResource', { keyId, tagKeys: ['a'] }, 'KMSInvalidStateException')
})

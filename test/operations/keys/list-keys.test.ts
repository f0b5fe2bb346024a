/** ListKeys. */

import { expect, test } from 'vitest'
import { expectFailure, service, useService } from '../service.ts'

useService()

test('lists the keys of the account, page by page', async () => {
  const client = service().clientOf('222233334444')
  const made = new Set<string>()
  for (let i = 0; i < 5; i += 1) {
    const { keyMetadata } = await client.call('CreateKey', {})
    made.add(keyMetadata?.arn ?? '')
  }
  const seen: string[] = []
  let marker: string | undefined
  let pages = 0
  do {
    const answer = await client.call('ListKeys', { limit: 2, marker })
    seen.push(...answer.keys.map(({ keyArn }) => keyArn))
    expect(answer.truncated).toBe(answer.nextMarker !== undefined)
    marker = answer.nextMarker
    pages += 1
  } while (marker !== undefined)
  expect(pages).toBe(3)
  expect(seen).toHaveLength(5)
  expect(new Set(seen)).toEqual(made)
  const all = await client.call('ListKeys', {})
  expect(all).toMatchObject({ truncated: false })
  expect(all.keys).toHaveLength(5)
})

test('a marker continues its own list and no other', async () => {
  const mine = service().clientOf('333344445555')
  for (let i = 0; i < 2; i += 1) await mine.call('CreateKey', {})
  const { nextMarker } = await mine.call('ListKeys', { limit: 1 })
  const other = service().clientOf('444455556666')
  const failure = { name: 'InvalidMarkerException' }
  await expect(other.call('ListKeys', { marker: nextMarker })).rejects.toMatchObject(failure)
  await expect(mine.call('ListAliases', { marker: nextMarker })).rejects.toMatchObject(failure)
  await expect(mine.call('ListKeys', { marker: 'nonsense' })).rejects.toMatchObject(failure)
})

test('holds Limit to 1 to 1000', async () => {
  await expectFailure('ListKeys', { limit: 0 }, 'ValidationException', 'greater than or equal to 1')
  await expectFailure('ListKeys', { limit: 1001 }, 'ValidationException', '1000')
})

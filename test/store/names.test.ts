/** Aliases and tags. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { aliasArn } from '../../src/model/arn.ts'
import type { Store } from '../../src/store/store.ts'
import { destroyIntent, insertDueKey, insertKey, place, temporaryStore } from './fixture.ts'

let store: Store
let end: () => Promise<void>
beforeEach(async () => {
  ;({ store, end } = await temporaryStore())
})
afterEach(() => end())

const missing = { name: 'NotFoundException' }
const all = { limit: 1000 }

describe('an alias', () => {
  const alias = (name: string, targetKeyId: string, where = place) => ({
    ...where,
    name,
    arn: aliasArn(where, name),
    targetKeyId,
    createdMs: 1,
    updatedMs: 1,
  })

  test('is read as it was written, and moved', async () => {
    const [a, b] = [await insertKey(store), await insertKey(store)]
    const made = alias('alias/a', a.keyId)
    expect(await store.aliases.find(place, 'alias/a')).toBeUndefined()
    expect(await store.aliases.insert(made, 1)).toBe('inserted')
    expect(await store.aliases.find(place, 'alias/a')).toEqual(made)
    expect(await store.aliases.insert(alias('alias/a', b.keyId), 50)).toBe('exists')
    const move = { fromKeyId: a.keyId, toKeyId: b.keyId, nowMs: 9, most: 2 }
    expect(await store.aliases.retarget(place, 'alias/a', move)).toBe('moved')
    const moved = { ...made, targetKeyId: b.keyId, updatedMs: 9 }
    expect(await store.aliases.find(place, 'alias/a')).toEqual(moved)
    // It is another key's by now.
    expect(await store.aliases.retarget(place, 'alias/a', move)).toBe('gone')
    expect(await store.aliases.remove(place, 'alias/a', a.keyId)).toBe(false)
    expect(await store.aliases.find(place, 'alias/a')).toEqual(moved)
    expect(await store.aliases.remove(place, 'alias/a', b.keyId)).toBe(true)
    expect(await store.aliases.find(place, 'alias/a')).toBeUndefined()
    expect(await store.aliases.remove(place, 'alias/a', b.keyId)).toBe(false)
  })

  test('is one of no more than the most, however many come at once', async () => {
    const [a, b] = [await insertKey(store), await insertKey(store)]
    const names = Array.from({ length: 6 }, (_, at) => `alias/${at}`)
    const made = await Promise.all(
      names.map((name) => store.aliases.insert(alias(name, a.keyId), 4)),
    )
    expect(made.toSorted()).toEqual([...Array(2).fill('full'), ...Array(4).fill('inserted')])
    const move = { fromKeyId: a.keyId, toKeyId: b.keyId, nowMs: 9, most: 3 }
    const kept = names.filter((_, at) => made[at] === 'inserted')
    const moved = await Promise.all(kept.map((name) => store.aliases.retarget(place, name, move)))
    expect(moved.toSorted()).toEqual(['full', 'moved', 'moved', 'moved'])
    // One that stays where it is takes no more room.
    const stay = { ...move, fromKeyId: b.keyId, most: 1 }
    expect(await store.aliases.retarget(place, kept[0] ?? '', stay)).toBe('moved')
  })

  test('belongs to one account and Region', async () => {
    const { keyId } = await insertKey(store)
    await store.aliases.insert(alias('alias/a', keyId), 50)
    for (const other of [
      { ...place, account: '444455556666' },
      { ...place, region: 'us-east-1' },
    ]) {
      expect(await store.aliases.find(other, 'alias/a')).toBeUndefined()
      expect(await store.aliases.list(other, all)).toEqual([])
      expect(await store.aliases.remove(other, 'alias/a', keyId)).toBe(false)
      expect(await store.aliases.insert(alias('alias/a', keyId, other), 50)).toBe('inserted')
    }
  })

  test('is listed by name, for all keys or for one', async () => {
    const [a, b] = [await insertKey(store), await insertKey(store)]
    const names = ['alias/Z', 'alias/a', 'alias/a-', 'alias/a/b', 'alias/a_', 'alias/b']
    for (const [at, name] of names.entries()) {
      await store.aliases.insert(alias(name, (at % 2 ? a : b).keyId), 50)
    }
    const named = async (part: object, page = all) =>
      (await store.aliases.list({ ...place, ...part }, page)).map(({ name }) => name)
    expect(await named({})).toEqual(names.toSorted())
    expect(await named({ keyId: a.keyId })).toEqual(['alias/a', 'alias/a/b', 'alias/b'])
    expect(await named({}, { ...all, limit: 2 })).toEqual(['alias/Z', 'alias/a'])
    const rest = await store.aliases.list(place, { after: 'alias/a-', limit: 1 })
    expect(rest.map(({ name }) => name)).toEqual(['alias/a/b'])
  })

  test('cannot point to a key that is not there or goes', async () => {
    const { keyId } = await insertDueKey(store)
    const other = await insertKey(store)
    await store.aliases.insert(alias('alias/a', other.keyId), 50)
    await store.intents.beginDestroy(destroyIntent(keyId), 5000)
    for (const id of [keyId, '11112222-3333-4444-5555-666677778888']) {
      await expect(store.aliases.insert(alias('alias/b', id), 50)).rejects.toMatchObject(missing)
      const move = { fromKeyId: other.keyId, toKeyId: id, nowMs: 1, most: 50 }
      await expect(store.aliases.retarget(place, 'alias/a', move)).rejects.toMatchObject(missing)
    }
    expect((await store.aliases.find(place, 'alias/a'))?.targetKeyId).toBe(other.keyId)
  })
})

describe('tags', () => {
  test('are put, changed, listed by key and removed', async () => {
    const { keyId } = await insertKey(store, {}, [{ key: 'b', value: '1' }])
    const put = [
      { key: 'b', value: '2' },
      { key: '😀', value: '' },
      { key: '\uff61', value: 'x' },
    ]
    expect(await store.tags.put(keyId, put, 50)).toBe(true)
    const listed = await store.tags.list(keyId, all)
    expect(listed.map(({ key }) => key)).toEqual(['b', '\uff61', '😀'])
    expect(listed[0]).toEqual({ key: 'b', value: '2' })
    expect(await store.tags.list(keyId, { after: 'b', limit: 1 })).toEqual([put[2]])
    await store.tags.remove(keyId, ['b', 'nope'])
    await store.tags.remove(keyId, [])
    expect(await store.tags.list(keyId, all)).toHaveLength(2)
  })

  test('are no more than the most, or nothing changes', async () => {
    const { keyId } = await insertKey(store, {}, [{ key: 'a', value: '1' }])
    const changed = [
      { key: 'a', value: '2' },
      { key: 'b', value: '2' },
    ]
    expect(await store.tags.put(keyId, changed, 1)).toBe(false)
    expect(await store.tags.list(keyId, all)).toEqual([{ key: 'a', value: '1' }])
    expect(await store.tags.put(keyId, changed, 2)).toBe(true)
    expect(await store.tags.list(keyId, all)).toEqual(changed)
  })

  test('are refused for a key that is not there', async () => {
    const id = '11112222-3333-4444-5555-666677778888'
    await expect(store.tags.put(id, [{ key: 'a', value: '' }], 50)).rejects.toMatchObject(missing)
  })
})

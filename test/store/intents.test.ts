/** Changes under way: when they may begin, how they end, and what is left of them. */

import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Store } from '../../src/store/store.ts'
import {
  backingKey,
  createIntent,
  destroyIntent,
  insertDueKey,
  insertKey,
  newKey,
  place,
  rotateIntent,
  temporaryStore,
} from './fixture.ts'

let store: Store
let end: () => Promise<void>
beforeEach(async () => {
  ;({ store, end } = await temporaryStore())
})
afterEach(() => end())

const all = { limit: 1000 }
const standing = async (id: string) =>
  (await store.backingKeys(all)).find((known) => known.id === id)?.standing

const begin = (keyId: string, most = 100) =>
  store.intents.beginCreate(newKey({ keyId }), [], createIntent(keyId), most)

describe('a create', () => {
  test('that is abandoned leaves only the id of its backing key', async () => {
    const key = newKey()
    const intent = createIntent(key.keyId)
    await store.intents.beginCreate(key, [{ key: 'a', value: 'b' }], intent, 100)
    expect(await store.intents.pending()).toEqual([intent])
    expect(await standing(intent.backingKey.id)).toBe('intended')
    await store.intents.abandon(intent.intentId, 2000)
    await store.intents.abandon(intent.intentId, 2000)
    expect(await store.intents.pending()).toEqual([])
    expect(await store.keys.count(place)).toBe(0)
    expect(await store.tags.list(key.keyId, all)).toEqual([])
    expect(await standing(intent.backingKey.id)).toBe('abandoned')
    expect(await store.intents.finishMaterial(intent.intentId, { nowMs: 3000 })).toBeUndefined()
  })

  test('ends once', async () => {
    const key = newKey()
    const intent = createIntent(key.keyId)
    await store.intents.beginCreate(key, [], intent, 100)
    const made = await store.intents.finishMaterial(intent.intentId, { nowMs: 3000 })
    expect(made?.backingKeys).toEqual([{ ...intent.backingKey, createdMs: 3000 }])
    expect(await store.intents.finishMaterial(intent.intentId, { nowMs: 3000 })).toBeUndefined()
    await store.intents.abandon(intent.intentId, 4000)
    expect(await store.keys.find(key.keyId)).toEqual(made)
    expect(await standing(intent.backingKey.id)).toBe('live')
  })

  test("never takes an id again, not even a destroyed key's", async () => {
    const { keyId } = await insertDueKey(store)
    expect(await begin(keyId)).toBe('exists')
    const destroy = destroyIntent(keyId)
    await store.intents.beginDestroy(destroy, 5000)
    await store.intents.finishDestroy(destroy.intentId, 6000)
    expect(await begin(keyId)).toBe('exists')
  })

  test('is one of no more than the most in its place, however many come at once', async () => {
    await insertKey(store, { region: 'us-east-1' })
    const { keyId } = await insertDueKey(store)
    const outcomes = await Promise.all(Array.from({ length: 4 }, () => begin(randomUUID(), 3)))
    expect(outcomes.toSorted()).toEqual(['begun', 'begun', 'full', 'full'])
    // Those that are being made or destroyed count, a destroyed one does not.
    const destroy = destroyIntent(keyId)
    await store.intents.beginDestroy(destroy, 5000)
    expect(await begin(randomUUID(), 3)).toBe('full')
    await store.intents.finishDestroy(destroy.intentId, 6000)
    expect(await begin(randomUUID(), 3)).toBe('begun')
  })
})

describe('a rotate', () => {
  test('begins only on an Enabled key, with the next number, beside no other change', async () => {
    const key = await insertKey(store)
    const intent = rotateIntent(key)
    const { keyId } = key
    await store.keys.change(keyId, 'Enabled', { state: 'Disabled' })
    expect(await store.intents.beginRotate(intent)).toBe(false)
    await store.keys.change(keyId, 'Disabled', { state: 'Enabled' })
    for (const number of [1, 3]) {
      const wrong = { ...intent, backingKey: backingKey(number) }
      expect(await store.intents.beginRotate(wrong)).toBe(false)
    }
    expect(await store.intents.beginRotate(intent)).toBe(true)
    expect(await store.intents.beginRotate(rotateIntent(key))).toBe(false)
    expect(await store.intents.beginRotate(rotateIntent({ ...key, keyId: 'none' }))).toBe(false)
    expect(await store.intents.pending()).toEqual([intent])
  })

  test('of twenty at once begins once', async () => {
    const key = await insertKey(store)
    const begun = await Promise.all(
      Array.from({ length: 20 }, () => store.intents.beginRotate(rotateIntent(key))),
    )
    expect(begun.filter(Boolean)).toHaveLength(1)
  })

  test('that is abandoned leaves the key as it was, and room for the next', async () => {
    const key = await insertKey(store)
    const intent = rotateIntent(key)
    await store.intents.beginRotate(intent)
    await store.intents.abandon(intent.intentId, 2000)
    expect(await store.keys.find(key.keyId)).toEqual(key)
    expect(await standing(intent.backingKey.id)).toBe('abandoned')
    expect(await store.intents.beginRotate(rotateIntent(key))).toBe(true)
  })

  test('moves only the schedule that it was for', async () => {
    const scheduled = { periodInDays: 90, nextMs: 1000 }
    const rotated = async (meanwhile: Parameters<typeof store.keys.change>[2]) => {
      const key = await insertKey(store, { rotation: scheduled })
      const intent = rotateIntent(key)
      await store.intents.beginRotate(intent)
      await store.keys.change(key.keyId, 'Enabled', meanwhile)
      const rotation = { periodInDays: 90, nextMs: 2000 }
      const change = { nowMs: 1500, rotation }
      return (await store.intents.finishMaterial(intent.intentId, change))?.rotation
    }
    expect(await rotated({})).toEqual({ periodInDays: 90, nextMs: 2000 })
    expect(await rotated({ rotation: null })).toBeUndefined()
    const longer = { periodInDays: 365, nextMs: 1800 }
    expect(await rotated({ rotation: longer })).toEqual(longer)
    const later = { periodInDays: 90, nextMs: 2500 }
    expect(await rotated({ rotation: later })).toEqual(later)
  })

  test('keeps a state that the key took meanwhile', async () => {
    const key = await insertKey(store)
    const intent = rotateIntent(key)
    await store.intents.beginRotate(intent)
    await store.keys.change(key.keyId, 'Enabled', { state: 'Disabled' })
    const rotated = await store.intents.finishMaterial(intent.intentId, { nowMs: 1 })
    expect(rotated?.state).toBe('Disabled')
    expect(rotated?.backingKeys).toHaveLength(2)
  })
})

describe('a destroy', () => {
  test('begins only when the key is pending, its window over, and nothing under way', async () => {
    const enabled = await insertKey(store)
    expect(await store.intents.beginDestroy(destroyIntent(enabled.keyId), 9999)).toBe(false)
    const rotate = rotateIntent(enabled)
    await store.intents.beginRotate(rotate)
    await store.keys.change(enabled.keyId, 'Enabled', { state: 'PendingDeletion', deletionMs: 5 })
    expect(await store.intents.beginDestroy(destroyIntent(enabled.keyId), 9999)).toBe(false)
    const { keyId } = await insertDueKey(store)
    expect(await store.intents.beginDestroy(destroyIntent(keyId), 4999)).toBe(false)
    expect(await store.intents.beginDestroy(destroyIntent(keyId), 5000)).toBe(true)
    expect(await store.intents.beginDestroy(destroyIntent(keyId), 5000)).toBe(false)
  })

  test('leaves a tombstone that nobody sees', async () => {
    const key = await insertDueKey(store)
    const { keyId } = key
    const name = 'alias/a'
    const alias = { ...place, name, arn: '', targetKeyId: keyId, createdMs: 1, updatedMs: 1 }
    await store.aliases.insert(alias, 50)
    await store.tags.put(keyId, [{ key: 'a', value: 'b' }], 50)
    await store.aliases.find(place, name)
    const id = key.backingKeys[0]?.id ?? ''
    const intent = destroyIntent(keyId)
    await store.intents.beginDestroy(intent, 5000)
    expect(await standing(id)).toBe('destroying')
    await expect(store.intents.abandon(intent.intentId, 1)).rejects.toThrow('to destroy')
    await store.intents.finishDestroy(intent.intentId, 6000)
    await store.intents.finishDestroy(intent.intentId, 6000)
    expect(await standing(id)).toBe('destroyed')
    expect(await store.keys.find(keyId)).toBeUndefined()
    expect(await store.keys.list(place, all)).toEqual([])
    expect(await store.keys.count(place)).toBe(0)
    expect(await store.keys.dueForDeletion(9999, 10)).toEqual([])
    expect(await store.keys.change(keyId, 'PendingDeletion', { description: '' })).toBeUndefined()
    expect(await store.aliases.find(place, name)).toBeUndefined()
    expect(await store.aliases.list(place, all)).toEqual([])
    expect(await store.tags.list(keyId, all)).toEqual([])
  })
})

describe('records', () => {
  test('of backing keys come in pages by id, each once', async () => {
    const ids: string[] = []
    for (let count = 0; count < 12; count++) {
      ids.push((await insertKey(store)).backingKeys[0]?.id ?? '')
      const key = newKey()
      const intent = createIntent(key.keyId)
      await store.intents.beginCreate(key, [], intent, 100)
      ids.push(intent.backingKey.id)
      if (count % 2) await store.intents.abandon(intent.intentId, 1)
    }
    const listed: string[] = []
    for (;;) {
      const page = await store.backingKeys({ after: listed.at(-1), limit: 5 })
      if (page.length === 0) break
      listed.push(...page.map(({ id }) => id))
    }
    expect(listed).toEqual(ids.toSorted())
  })

  test('of quarantine keep the first finding until it is released', async () => {
    await store.intents.quarantine('aa', 1, 'first')
    await store.intents.quarantine('aa', 2, 'second')
    const first = { backingKeyId: 'aa', foundMs: 1, reason: 'first' }
    expect(await store.intents.quarantined(all)).toEqual([first])
    await store.intents.release('aa', 3)
    expect(await store.intents.quarantined(all)).toEqual([])
    await store.intents.quarantine('aa', 4, 'again')
    expect(await store.intents.quarantined(all)).toEqual([])
    expect(await standing('aa')).toBe('released')
  })

  test('of the installation are made once', async () => {
    expect(await store.installation()).toBeUndefined()
    const installation = { canaryId: 'ab'.repeat(16), createdMs: 7 }
    await store.install(installation)
    expect(await store.installation()).toEqual(installation)
    await expect(store.install(installation)).rejects.toThrow('UNIQUE')
  })

  test('of messages add up', async () => {
    expect(await store.reserveMessages('aa', 2 ** 31)).toBe(2 ** 31)
    expect(await store.reserveMessages('aa', 65536)).toBe(2 ** 31 + 65536)
    expect(await store.reserveMessages('bb', 1)).toBe(1)
  })
})

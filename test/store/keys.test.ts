/** The keys of the store: what is found, listed, counted, due, and how they change. */

import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Store } from '../../src/store/store.ts'
import {
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

describe('a key', () => {
  test('is read as it was written', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'binary', maxLength: 50 }).filter((text) => text.isWellFormed()),
        fc.option(
          fc.record({ periodInDays: fc.integer({ min: 90, max: 2560 }), nextMs: fc.nat() }),
        ),
        async (description, rotation) => {
          const input = newKey({ description, rotation: rotation ?? undefined })
          const key = await insertKey(store, input)
          expect(key).toMatchObject({ ...input, state: 'Enabled' })
          expect(await store.keys.find(key.keyId)).toEqual(key)
        },
      ),
      { numRuns: 15 },
    )
  })

  test('cannot be changed by who reads it', async () => {
    const { keyId } = await insertKey(store)
    const key = await store.keys.find(keyId)
    expect(() => Object.assign(key ?? {}, { state: 'Disabled' })).toThrow(TypeError)
    expect(() => Object.assign(key?.backingKeys ?? [], [1])).toThrow(TypeError)
  })

  test('that is being made is not found, listed or changed, but counted', async () => {
    const key = newKey()
    expect(await store.intents.beginCreate(key, [], createIntent(key.keyId), 1)).toBe('begun')
    expect(await store.keys.find(key.keyId)).toBeUndefined()
    expect(await store.keys.list(place, all)).toEqual([])
    expect(await store.keys.change(key.keyId, 'Creating', { state: 'Enabled' })).toBeUndefined()
    expect(await store.keys.count(place)).toBe(1)
  })

  test('whose text UTF-8 cannot hold is refused', async () => {
    const refused = insertKey(store, { description: '\ud800' })
    await expect(refused).rejects.toMatchObject({ name: 'ValidationException' })
    expect(await store.keys.count(place)).toBe(0)
  })
})

describe('change', () => {
  test('applies only in the state that it was meant for', async () => {
    const { keyId } = await insertKey(store)
    expect(await store.keys.change(keyId, 'Disabled', { state: 'Enabled' })).toBeUndefined()
    const disabled = await store.keys.change(keyId, 'Enabled', { state: 'Disabled' })
    expect(disabled?.state).toBe('Disabled')
    expect(await store.keys.find(keyId)).toEqual(disabled)
    expect(await store.keys.change(randomUUID(), 'Enabled', {})).toBeUndefined()
  })

  test('of two at once lets one through', async () => {
    const { keyId } = await insertKey(store)
    const changes = Array.from({ length: 20 }, (_, at) =>
      store.keys.change(keyId, 'Enabled', { state: 'Disabled', description: `${at}` }),
    )
    const through = (await Promise.all(changes)).filter((key) => key !== undefined)
    expect(through).toHaveLength(1)
    expect(await store.keys.find(keyId)).toEqual(through[0])
  })

  test('sets, keeps and clears', async () => {
    const { keyId } = await insertKey(store, { description: 'a' })
    const rotation = { periodInDays: 90, nextMs: 9000 }
    const scheduled = await store.keys.change(keyId, 'Enabled', {
      rotation,
    })
    expect(scheduled).toMatchObject({ description: 'a', rotation })
    const off = await store.keys.change(keyId, 'Enabled', { rotation: null })
    expect(off).toMatchObject({ rotation: undefined })
    const pending = { state: 'PendingDeletion', deletionMs: 7000 } as const
    expect(await store.keys.change(keyId, 'Enabled', pending)).toMatchObject(pending)
    const cancelled = { state: 'Disabled', deletionMs: null } as const
    expect(await store.keys.change(keyId, 'PendingDeletion', cancelled)).toMatchObject({
      state: 'Disabled',
      deletionMs: undefined,
    })
  })

  test('leaves no key pending deletion without a date, and none with a date otherwise', async () => {
    const { keyId } = await insertKey(store)
    await expect(store.keys.change(keyId, 'Enabled', { state: 'PendingDeletion' })).rejects.toThrow(
      'CHECK',
    )
    await expect(store.keys.change(keyId, 'Enabled', { deletionMs: 1 })).rejects.toThrow('CHECK')
    expect((await store.keys.find(keyId))?.state).toBe('Enabled')
  })

  test('does not cancel a destruction that has begun', async () => {
    const { keyId } = await insertDueKey(store)
    expect(await store.intents.beginDestroy(destroyIntent(keyId), 5000)).toBe(true)
    const cancel = { state: 'Disabled', deletionMs: null } as const
    expect(await store.keys.change(keyId, 'PendingDeletion', cancel)).toBeUndefined()
    expect((await store.keys.find(keyId))?.state).toBe('PendingDeletion')
  })
})

describe('list', () => {
  test('pages through the keys of one account and Region in order', async () => {
    const ids: string[] = []
    for (let count = 0; count < 25; count++) ids.push((await insertKey(store)).keyId)
    await insertKey(store, { account: '444455556666' })
    await insertKey(store, { region: 'us-east-1' })
    const due = await insertDueKey(store)
    await store.intents.beginDestroy(destroyIntent(due.keyId), 5000)
    const listed: string[] = []
    for (;;) {
      const page = await store.keys.list(place, { after: listed.at(-1), limit: 7 })
      expect(page.length).toBeLessThanOrEqual(7)
      if (page.length === 0) break
      listed.push(...page.map(({ keyId }) => keyId))
    }
    expect(listed).toEqual(ids.toSorted())
    expect(await store.keys.count(place)).toBe(26)
  })

  test('holds all backing keys of each key, by number', async () => {
    const first = await insertKey(store)
    const rotated = await rotate(await rotate(first))
    const other = await insertKey(store)
    const listed = await store.keys.list(place, all)
    expect(listed).toEqual([rotated, other].toSorted((a, b) => (a.keyId < b.keyId ? -1 : 1)))
    expect(rotated.backingKeys.map(({ number }) => number)).toEqual([1, 2, 3])
  })

  const rotate = async (key: Awaited<ReturnType<typeof insertKey>>) => {
    const intent = rotateIntent(key)
    expect(await store.intents.beginRotate(intent)).toBe(true)
    const rotated = await store.intents.finishMaterial(intent.intentId, { nowMs: 2500 })
    if (rotated === undefined) throw new Error('the intent has ended already')
    return rotated
  }
})

describe('what is due', () => {
  test('for rotation is Enabled, scheduled until now, and without a change under way', async () => {
    const scheduled = (nextMs: number) =>
      insertKey(store, { rotation: { periodInDays: 90, nextMs } })
    const late = await scheduled(3000)
    const early = await scheduled(1000)
    await scheduled(3001)
    const disabled = await scheduled(1)
    await store.keys.change(disabled.keyId, 'Enabled', { state: 'Disabled' })
    const busy = await scheduled(2)
    await store.intents.beginRotate(rotateIntent(busy))
    await insertKey(store)
    const due = await store.keys.dueForRotation(3000, 10)
    expect(due.map(({ keyId }) => keyId)).toEqual([early.keyId, late.keyId])
    expect(await store.keys.dueForRotation(3000, 1)).toEqual([early])
  })

  test('for deletion is pending, over, and without a change under way', async () => {
    const due = await insertDueKey(store)
    const busy = await insertDueKey(store)
    await store.intents.beginDestroy(destroyIntent(busy.keyId), 5000)
    expect(await store.keys.dueForDeletion(4999, 10)).toEqual([])
    expect(await store.keys.dueForDeletion(5000, 10)).toEqual([due])
  })
})

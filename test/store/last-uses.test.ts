/** The last uses of keys: noted in memory, written from time to time. */

import { randomUUID } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import type { KeyUse } from '../../src/model/usage/key-use.ts'
import { openStore } from '../../src/store/database.ts'
import { destroyIntent, insertDueKey, insertKey, temporaryStore } from './fixture.ts'

const use = (usedMs: number, operation: KeyUse['operation'] = 'Encrypt'): KeyUse => ({
  operation,
  usedMs,
  requestId: randomUUID(),
})

test('a use is known as soon as it is noted, and once it is written for good', async () => {
  const { store, path, end } = await temporaryStore()
  const { keyId } = await insertKey(store)
  expect(await store.lastUses.find(keyId)).toBeUndefined()
  const [first, second] = [use(1), use(2, 'Decrypt')]
  store.lastUses.note(keyId, first)
  expect(await store.lastUses.find(keyId)).toEqual(first)
  await store.lastUses.flush()
  expect(await store.lastUses.find(keyId)).toEqual(first)
  store.lastUses.note(keyId, second)
  expect(await store.lastUses.find(keyId)).toEqual(second)
  await store.lastUses.flush()
  await store.close()
  const again = await openStore({ path })
  expect(await again.lastUses.find(keyId)).toEqual(second)
  await again.close()
  await end()
})

test('writes many at once, none of them twice, and what is noted meanwhile next time', async () => {
  const { store, path, end } = await temporaryStore()
  const ids = Array.from({ length: 250 }, () => randomUUID())
  for (const id of ids) store.lastUses.note(id, use(5))
  const later = use(6, 'GenerateDataKey')
  const writing = store.lastUses.flush()
  store.lastUses.note(ids[0] ?? '', later)
  await writing
  expect(await store.lastUses.find(ids[0] ?? '')).toEqual(later)
  await Promise.all([store.lastUses.flush(), store.lastUses.flush()])
  await store.close()
  const rows = new DatabaseSync(path, { readOnly: true })
  const written = rows.prepare('select key_id, used_ms from last_uses order by used_ms desc').all()
  rows.close()
  expect(written).toHaveLength(250)
  expect({ ...written[0] }).toEqual({ key_id: ids[0], used_ms: 6 })
  await end()
})

test('a later use that another process has written stays', async () => {
  const { store, path, end } = await temporaryStore()
  const { keyId } = await insertKey(store)
  const child = new DatabaseSync(path)
  const insert = child.prepare('insert into last_uses values (?, ?, ?, ?)')
  insert.run(keyId, 'Sign', 9, 'of another process')
  store.lastUses.note(keyId, use(8))
  const theirs = { operation: 'Sign', usedMs: 9, requestId: 'of another process' }
  expect(await store.lastUses.find(keyId)).toEqual(theirs)
  await store.lastUses.flush()
  expect(await store.lastUses.find(keyId)).toEqual(theirs)
  await store.close()
  child.close()
  await end()
})

test('what cannot be written stays noted', async () => {
  const { store, path, end } = await temporaryStore()
  const { keyId } = await insertKey(store)
  const noted = use(3)
  store.lastUses.note(keyId, noted)
  const other = new DatabaseSync(path)
  other.exec('alter table last_uses rename to elsewhere')
  await expect(store.lastUses.flush()).rejects.toThrow('last_uses')
  other.exec('alter table elsewhere rename to last_uses')
  expect(await store.lastUses.find(keyId)).toEqual(noted)
  await store.lastUses.flush()
  expect(other.prepare('select count(*) as rows from last_uses').get()).toMatchObject({ rows: 1 })
  await store.close()
  other.close()
  await end()
})

test('a destroyed key has none', async () => {
  const { store, end } = await temporaryStore()
  const { keyId } = await insertDueKey(store)
  store.lastUses.note(keyId, use(3))
  await store.lastUses.flush()
  const intent = destroyIntent(keyId)
  await store.intents.beginDestroy(intent, 6000)
  await store.intents.finishDestroy(intent.intentId, 6000)
  expect(await store.lastUses.find(keyId)).toBeUndefined()
  await end()
})

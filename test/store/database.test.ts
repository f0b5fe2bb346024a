/** Opening the store: whose file it is, who may read it, and what is refused. */

import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStore } from '../../src/store/database.ts'
import { insertKey, place, temporaryDirectory } from './fixture.ts'

let directory: string
let remove: () => void
beforeEach(() => {
  ;({ directory, remove } = temporaryDirectory())
})
afterEach(() => remove())

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)

/** Changes the database behind the store's back. */
function tamper(path: string, sql: string): void {
  const database = new DatabaseSync(path, { enableForeignKeyConstraints: false })
  database.exec(sql)
  database.close()
}

describe('openStore', () => {
  test('makes directory and files that only their owner may read', async () => {
    const path = join(directory, 'a', 'b', 'keyslot.db')
    const store = await openStore({ path })
    expect(mode(join(directory, 'a', 'b'))).toBe('700')
    for (const suffix of ['', '-wal', '-shm']) expect(mode(path + suffix)).toBe('600')
    await store.close()
    await store.close()
  })

  test('takes away the rights of others to a file that is there', async () => {
    const path = join(directory, 'keyslot.db')
    writeFileSync(path, '', { mode: 0o644 })
    await (await openStore({ path })).close()
    expect(mode(path)).toBe('600')
  })

  test('finds again what was written', async () => {
    const path = join(directory, 'keyslot.db')
    const first = await openStore({ path })
    const key = await insertKey(first)
    await first.close()
    const second = await openStore({ path })
    expect(await second.keys.find(key.keyId)).toEqual(key)
    await second.close()
  })

  test('refuses a database that is open in this process already', async () => {
    const path = join(directory, 'keyslot.db')
    const link = join(directory, 'link.db')
    const store = await openStore({ path })
    symlinkSync(path, link)
    await expect(openStore({ path })).rejects.toThrow('open in this process already')
    await expect(openStore({ path: link })).rejects.toThrow('open in this process already')
    await insertKey(store)
    await store.close()
    const again = await openStore({ path: link })
    expect(await again.keys.count(place)).toBe(1)
    await again.close()
  })

  test('refuses a database of a newer keyslot, and leaves it alone', async () => {
    const path = join(directory, 'keyslot.db')
    await (await openStore({ path })).close()
    tamper(path, `insert into kysely_migration values ('9999-later', '2099-01-01T00:00:00.000Z')`)
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(openStore({ path })).rejects.toThrow(/newer keyslot.*9999-later/)
    }
  })

  test("refuses a file that is not keyslot's, and leaves it alone", async () => {
    const path = join(directory, 'other.db')
    tamper(path, 'create table theirs (a)')
    await expect(openStore({ path })).rejects.toThrow('not keyslot')
    const other = new DatabaseSync(path)
    expect(other.prepare('pragma journal_mode').get()).toEqual({ journal_mode: 'delete' })
    expect(other.prepare('select count(*) as tables from sqlite_schema').get()).toEqual({
      tables: 1,
    })
    other.close()
    const text = join(directory, 'text.db')
    writeFileSync(text, 'not a database '.repeat(100))
    await expect(openStore({ path: text })).rejects.toThrow('not a database')
    const folder = join(directory, 'folder.db')
    mkdirSync(folder)
    await expect(openStore({ path: folder })).rejects.toThrow()
  })

  test('by several at once leaves one schema', async () => {
    const path = join(directory, 'keyslot.db')
    const opened = await Promise.allSettled([openStore({ path }), openStore({ path })])
    expect(opened.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    for (const result of opened) if (result.status === 'fulfilled') await result.value.close()
  })
})

describe('a row that cannot be right', () => {
  test.each([
    ['state', `update keys set state = 'Enabbled'`],
    ['spec', `update keys set spec = 'AES_128'`],
    ['usage', `update keys set usage = 'SIGN_VERIFY'`],
    ['origin', `update keys set origin = ''`],
    ['manager', `update keys set manager = 'x'`],
    ['account', `update keys set account = '1'`],
    ['region', `update keys set region = ''`],
    ['created_ms', `update keys set created_ms = 'soon'`],
    ['created_ms', 'update keys set created_ms = 0.5'],
    ['schedule_next_ms', 'update keys set schedule_next_ms = -1, schedule_period_in_days = 90'],
    ['backing keys', 'delete from backing_keys'],
    ['backing key numbers', 'update backing_keys set number = 2'],
    ['backing key id', `update backing_keys set id = 'x'`],
    ['material_id', `update backing_keys set material_id = 'x'`],
    ['suite', 'update backing_keys set suite = 3'],
    ['rotation_type', `update backing_keys set rotation_type = 'YEARLY'`],
  ])('is an error that names it (%s)', async (column, sql) => {
    const path = join(directory, 'keyslot.db')
    const store = await openStore({ path })
    const { keyId } = await insertKey(store)
    tamper(path, sql)
    const refused = new RegExp(`wrong row, key ${keyId}: .*${column}`)
    await expect(store.keys.find(keyId)).rejects.toThrow(refused)
    if (column !== 'account' && column !== 'region') {
      await expect(store.keys.list(place, { limit: 10 })).rejects.toThrow(refused)
    }
    await store.close()
  })
})

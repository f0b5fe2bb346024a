/** Grants of calls whose encryption contexts have many pairs, or long ones. */

import { randomBytes, randomUUID } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Grant, GrantConstraints } from '../../src/model/grant.ts'
import { Copies } from '../../src/store/copies/copies.ts'
import { type BoundGrants, hotCopies } from '../../src/store/copies/hot-copies.ts'
import { grantStore } from '../../src/store/grants/grants.ts'
import type { GrantStore } from '../../src/store/grants/store.ts'
import type { Tables } from '../../src/store/rows.ts'
import { sqliteDialect } from '../../src/store/sqlite/sqlite.ts'
import { insertKey, temporaryStore } from './fixture.ts'

/** Copies that say what has been put into them. */
class Told<Value> extends Copies<Value> {
  readonly names = new Set<string>()

  override put(name: string, value: Value, epoch: number): void {
    this.names.add(name)
    super.put(name, value, epoch)
  }
}

const alice = 'arn:aws:iam::111122223333:user/alice'
const root = 'arn:aws:iam::111122223333:root'
let grants: GrantStore
let keyId: string
let queries: number
let copies: { readonly free: Told<readonly Grant[]>; readonly bound: Told<BoundGrants> }
let end: () => Promise<void>
beforeEach(async () => {
  const opened = await temporaryStore()
  ;({ keyId } = await insertKey(opened.store))
  const db = new Kysely<Tables>({
    dialect: sqliteDialect(new DatabaseSync(opened.path)),
    log: () => {
      queries++
    },
  })
  copies = { free: new Told(1_000_000), bound: new Told(1_000_000) }
  const hot = { ...hotCopies(() => false), grants: copies.free, bound: copies.bound }
  grants = grantStore(db, hot)
  queries = 0
  end = async () => {
    await db.destroy()
    await opened.end()
  }
})
afterEach(() => end())

async function insert(constraints?: GrantConstraints): Promise<string> {
  const grantId = randomBytes(32).toString('hex')
  const made = await grants.insert(
    {
      grantId,
      keyId,
      name: '',
      grantee: { arn: alice },
      issuingAccount: root,
      operations: ['Decrypt'],
      constraints,
      createdMs: 1000,
      tokenKey: randomBytes(32).toString('hex'),
    },
    50_000,
  )
  expect(made).not.toBe('full')
  return grantId
}

const boundTo = (name: string, value: string) =>
  insert({ encryptionContextSubset: new Map([[name, value]]) })
const contextOf = (pairs: number, name = 'p') =>
  new Map(Array.from({ length: pairs }, (_, at) => [`${name}${at}`, `${at}`]))

async function deciding(context: ReadonlyMap<string, string>, of = keyId): Promise<string[]> {
  const found = await grants.deciding({ keyId: of, granteeArns: [alice, root], context })
  return found.map(({ grantId }) => grantId).toSorted()
}

test('thousands of pairs cost few queries, of whoever has no grant and of whoever has one', async () => {
  expect(await deciding(contextOf(5000))).toEqual([])
  expect(await deciding(contextOf(5000), randomUUID())).toEqual([])
  expect(queries).toBeLessThanOrEqual(8)
  const grantId = await boundTo('P1234', '1234')
  queries = 0
  expect(await deciding(contextOf(5000))).toEqual([grantId])
  expect(await deciding(contextOf(1000))).toEqual([])
  expect(queries).toBeLessThanOrEqual(2)
})

test('other pairs at every call leave no copies behind', async () => {
  await boundTo('tenant', 'blue')
  for (let at = 0; at < 300; at++) {
    const context = contextOf(20, `${at}-`)
    context.set('object', `${at}`.repeat(5000))
    await deciding(context)
  }
  const names = [...copies.free.names, ...copies.bound.names]
  expect(names.length).toBeLessThanOrEqual(4)
  expect(names.join().length).toBeLessThan(1000)
})

test('many grants that are bound to pairs are found by theirs, with few queries and short names', async () => {
  const long = 'x'.repeat(300)
  const made: string[] = []
  for (let at = 0; at < 40; at++) made.push(await boundTo(`n${at}`, at % 2 ? long : `${at}`))
  queries = 0
  const both = new Map([
    ['N0', '0'],
    ['n1', long],
    ['n2', 'other'],
    ['n3', `${long}y`],
    ...contextOf(1000),
  ])
  const expected = made.slice(0, 2).toSorted()
  expect(await deciding(both)).toEqual(expected)
  expect(queries).toBeLessThanOrEqual(5)
  expect(await deciding(both)).toEqual(expected)
  expect(queries).toBeLessThanOrEqual(5)
  expect(Math.max(...[...copies.free.names].map((name) => name.length))).toBeLessThan(160)
})

test('what decides is as it is now, however many grants come and go', async () => {
  const context = new Map([
    ['tenant', 'blue'],
    ['object', 'o'.repeat(200)],
  ])
  const free = await insert()
  const there: string[] = []
  const check = async () => expect(await deciding(context)).toEqual([free, ...there].toSorted())
  await check()
  // From none through some to many, and back.
  for (let at = 0; at < 24; at++) {
    await boundTo('another', `${at}`)
    const [name, value] = at % 2 ? ['Tenant', 'blue'] : ['object', 'o'.repeat(200)]
    if (at % 6 < 2) {
      const operations = {
        encryptionContextSubset: new Map([
          [name, value],
          [`${at}`, ''],
        ]),
      }
      there.push(await insert(operations))
    }
    await check()
  }
  for (const { grantId } of await grants.list({ keyId }, { limit: 1000 })) {
    if (grantId === free) continue
    expect(await grants.remove(keyId, grantId)).toBe(true)
    if (there.includes(grantId)) there.splice(there.indexOf(grantId), 1)
    await check()
  }
})

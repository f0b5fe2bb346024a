/** Key policies and grants in the store. */

import { randomBytes } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { StoredGrant } from '../../src/store/grants/rows.ts'
import type { Store } from '../../src/store/store.ts'
import { destroyIntent, insertDueKey, insertKey, temporaryStore } from './fixture.ts'

let store: Store
let path: string
let end: () => Promise<void>
beforeEach(async () => {
  ;({ store, path, end } = await temporaryStore())
})
afterEach(() => end())

const alice = 'arn:aws:iam::111122223333:user/alice'
const bob = 'arn:aws:iam::111122223333:user/bob'
const all = { limit: 1000 }
const none = new Map<string, string>()

function grant(keyId: string, part: Partial<StoredGrant> = {}): StoredGrant {
  return {
    grantId: randomBytes(32).toString('hex'),
    keyId,
    name: '',
    grantee: { arn: alice, principalId: 'AIDAALICE' },
    issuingAccount: 'arn:aws:iam::111122223333:root',
    operations: ['Decrypt'],
    createdMs: 1000,
    tokenKey: randomBytes(32).toString('hex'),
    ...part,
  }
}

async function insert(keyId: string, part: Partial<StoredGrant> = {}): Promise<StoredGrant> {
  const made = await store.grants.insert(grant(keyId, part), 50_000)
  if (made === 'full') throw new Error('full')
  return made
}

const deciding = async (
  keyId: string,
  context: ReadonlyMap<string, string> | undefined,
  granteeArns = [alice],
) => {
  const found = await store.grants.deciding({ keyId, granteeArns, context })
  return found.map(({ grantId }) => grantId).toSorted()
}

describe('a key policy', () => {
  test('is read as it was put, with its principals', async () => {
    const { keyId, policy } = await insertKey(store)
    expect(policy).toEqual({ text: '{}', principalIds: new Map() })
    const put = { text: '{"\u00e4": "__proto__"}', principalIds: new Map([[alice, 'AIDA1']]) }
    await store.keys.change(keyId, 'Enabled', { policy: put })
    expect((await store.keys.find(keyId))?.policy).toEqual(put)
    await store.keys.change(keyId, 'Enabled', { description: 'other' })
    expect((await store.keys.find(keyId))?.policy).toEqual(put)
  })
})

describe('a grant', () => {
  test('is found as it was made', async () => {
    const { keyId } = await insertKey(store)
    const made = await insert(keyId, {
      name: 'for the app',
      retiring: { arn: bob, principalId: 'AIDABOB' },
      operations: ['Encrypt', 'Decrypt', 'ReEncryptFrom'],
      constraints: { encryptionContextSubset: new Map([['__proto__', 'x']]) },
    })
    expect(await store.grants.find(made.grantId)).toEqual(made)
    expect(await store.grants.list({ keyId }, all)).toEqual([made])
    expect(await store.grants.find('0'.repeat(64))).toBeUndefined()
  })

  test('is the same one for an equal request of the same name, and only then', async () => {
    const { keyId } = await insertKey(store)
    const first = await insert(keyId, { name: 'a', operations: ['Decrypt', 'Encrypt'] })
    const again = await insert(keyId, { name: 'a', operations: ['Encrypt', 'Decrypt'] })
    expect(again.grantId).toBe(first.grantId)
    for (const part of [
      { name: 'b' },
      { operations: ['Decrypt' as const] },
      { grantee: { arn: alice, principalId: 'AIDANEW' } },
      { retiring: { arn: bob } },
      { constraints: { encryptionContextEquals: new Map([['a', 'b']]) } },
      { issuingAccount: 'arn:aws:iam::444455556666:root' },
    ]) {
      const other = await insert(keyId, { name: 'a', operations: ['Decrypt', 'Encrypt'], ...part })
      expect(other.grantId).not.toBe(first.grantId)
    }
    expect((await insert(keyId)).grantId).not.toBe((await insert(keyId)).grantId)
  })

  test('is one of no more than the most; one that is there already takes no room', async () => {
    const { keyId } = await insertKey(store)
    const first = await insert(keyId, { name: 'a' })
    expect(await store.grants.insert(grant(keyId), 1)).toBe('full')
    expect(await store.grants.insert(grant(keyId, { name: 'a' }), 1)).toEqual(first)
  })

  test('is of a key that is there, and goes with it', async () => {
    const missing = { name: 'NotFoundException' }
    const { keyId } = await insertDueKey(store)
    const made = await insert(keyId)
    expect(await deciding(keyId, none)).toEqual([made.grantId])
    const intent = destroyIntent(keyId)
    await store.intents.beginDestroy(intent, 5000)
    await expect(insert(keyId)).rejects.toMatchObject(missing)
    await store.intents.finishDestroy(intent.intentId, 6000)
    expect(await store.grants.find(made.grantId)).toBeUndefined()
    expect(await deciding(keyId, none)).toEqual([])
  })

  test('is removed by key and id together', async () => {
    const [{ keyId }, other] = [await insertKey(store), await insertKey(store)]
    const { grantId } = await insert(keyId)
    expect(await store.grants.remove(other.keyId, grantId)).toBe(false)
    expect(await store.grants.remove(keyId, grantId)).toBe(true)
    expect(await store.grants.remove(keyId, grantId)).toBe(false)
  })
})

describe('lists', () => {
  test('are of one key, narrowed and in pages', async () => {
    const [{ keyId }, other] = [await insertKey(store), await insertKey(store)]
    await insert(other.keyId)
    const made = [await insert(keyId), await insert(keyId), await insert(keyId)]
    const toBob = await insert(keyId, { grantee: { arn: bob } })
    const ids = [...made, toBob].map(({ grantId }) => grantId).toSorted()
    const listed = async (filter: object, page: { limit: number; after?: string } = all) =>
      (await store.grants.list({ keyId, ...filter }, page)).map(({ grantId }) => grantId)
    expect(await listed({})).toEqual(ids)
    expect(await listed({}, { limit: 2, after: ids[0] })).toEqual(ids.slice(1, 3))
    expect(await listed({ granteeArn: bob })).toEqual([toBob.grantId])
    expect(await listed({ grantId: ids[1] })).toEqual([ids[1]])
    expect(await listed({ grantId: toBob.grantId, granteeArn: alice })).toEqual([])
  })

  test('of what a principal may retire leave out its namesake of before', async () => {
    const { keyId } = await insertKey(store)
    await insert(keyId, { retiring: { arn: bob, principalId: 'AIDAOLD' } })
    const { grantId } = await insert(keyId, { retiring: { arn: bob, principalId: 'AIDANEW' } })
    const asked = { arn: bob, principalId: 'AIDANEW', region: 'eu-central-1' }
    const ids = async (part: object) =>
      (await store.grants.listRetirable({ ...asked, ...part }, all)).map((each) => each.grantId)
    expect(await ids({})).toEqual([grantId])
    expect(await ids({ region: 'us-east-1' })).toEqual([])
    expect(await ids({ arn: alice })).toEqual([])
    expect(await ids({ principalId: undefined })).toEqual([])
  })
})

describe('what decides a call', () => {
  test('is found by grantee and context, and changes at once', async () => {
    const { keyId } = await insertKey(store)
    expect(await deciding(keyId, none)).toEqual([])
    const free = await insert(keyId)
    const equals = { encryptionContextEquals: new Map([['Team', 'blue']]) }
    const bound = await insert(keyId, { constraints: equals })
    await insert(keyId, { grantee: { arn: bob } })
    expect(await deciding(keyId, none)).toEqual([free.grantId])
    expect(await deciding(keyId, new Map([['Team', 'BLUE']]))).toEqual([free.grantId])
    const both = [free.grantId, bound.grantId].toSorted()
    const context = new Map([
      ['tEAM', 'blue'],
      ['x', 'y'],
    ])
    expect(await deciding(keyId, context)).toEqual(both)
    await store.grants.remove(keyId, free.grantId)
    expect(await deciding(keyId, context)).toEqual([bound.grantId])
    await store.grants.remove(keyId, bound.grantId)
    expect(await deciding(keyId, context)).toEqual([])
    expect(await deciding(keyId, undefined, [alice, bob])).toHaveLength(1)
  })

  test('is one of those that are alike, and another when that one goes', async () => {
    const { keyId } = await insertKey(store)
    for (let at = 0; at < 20; at++) await insert(keyId)
    await insert(keyId, { operations: ['Encrypt'] })
    await insert(keyId, { grantee: { arn: alice, principalId: 'AIDANEW' } })
    for (let left = 20; left > 0; left--) {
      const found = await store.grants.deciding({ keyId, granteeArns: [alice], context: none })
      expect(found).toHaveLength(3)
      const one = found.find(
        ({ operations, grantee }) =>
          operations.includes('Decrypt') && grantee.principalId === 'AIDAALICE',
      )
      await store.grants.remove(keyId, one?.grantId ?? '')
    }
    expect(await deciding(keyId, none)).toHaveLength(2)
  })

  test('is told apart by the account that granted it', async () => {
    const { keyId } = await insertKey(store)
    const equals = { encryptionContextEquals: new Map([['Team', 'blue']]) }
    for (const account of ['111122223333', '444455556666', '777788889999']) {
      for (const constraints of [undefined, equals]) {
        const issuingAccount = `arn:aws:iam::${account}:root`
        await insert(keyId, { issuingAccount, constraints })
        // Alike.
        await insert(keyId, { issuingAccount, constraints })
      }
    }
    const issuers = async (context: ReadonlyMap<string, string> | undefined) => {
      const found = await store.grants.deciding({ keyId, granteeArns: [alice], context })
      return new Set(found.map(({ issuingAccount }) => issuingAccount)).size
    }
    for (const context of [undefined, none, new Map([['team', 'blue']])]) {
      expect(await issuers(context)).toBe(3)
    }
    for (let at = 0; at < 20; at++) await insert(keyId, { constraints: equals })
    expect(await issuers(new Map([['team', 'blue']]))).toBe(3)
  })

  test('is what another process has left', async () => {
    const { keyId } = await insertKey(store)
    const { grantId } = await insert(keyId)
    expect(await deciding(keyId, none)).toEqual([grantId])
    const other = new DatabaseSync(path, { timeout: 5000 })
    other.prepare('delete from grants where grant_id = ?').run(grantId)
    other.close()
    // Of another process one hears in a turn of its own.
    await setImmediate()
    expect(await deciding(keyId, none)).toEqual([])
  })
})

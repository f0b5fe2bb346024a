/** Suite 2: a backing key that encrypts itself is rotated before it has encrypted too much. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  MESSAGES_MAX,
  MESSAGES_PER_BLOCK,
  messageBudget,
} from '../../src/lifecycle/message-budget.ts'
import type { Authorised } from '../../src/model/authorised.ts'
import { currentBackingKey, type Key } from '../../src/model/key.ts'
import { expectWhole, makePair } from './fixture.ts'
import { decrypt, encrypt, makeKey } from './pair.ts'

const { pair, token } = await makePair({ withdraw: ['CKM_AES_CBC_ENCRYPT_DATA'] })
const { services, store } = pair
let key: Authorised<Key>
beforeAll(async () => {
  key = await makeKey(services)
  expect(currentBackingKey(key).suite).toBe(2)
})
afterAll(async () => {
  await expectWhole(pair)
  await pair.close()
  token.remove()
})

/** What has been reserved of a backing key. */
const reserved = ({ id }: { readonly id: string }) => store.reserveMessages(id, 0)

/** Leaves so many blocks of a new key's budget. */
async function makeKeyWithBlocks(blocks: number): Promise<Authorised<Key>> {
  const fresh = await makeKey(services)
  const spent = MESSAGES_MAX - blocks * MESSAGES_PER_BLOCK
  await store.reserveMessages(currentBackingKey(fresh).id, spent)
  return fresh
}

describe('a key of suite 1', () => {
  test('is answered at once, as it is, and counted nowhere', async () => {
    const derived = { ...key, backingKeys: [{ ...currentBackingKey(key), suite: 1 as const }] }
    const before = await reserved(currentBackingKey(key))
    expect(messageBudget(services).spend(derived)).toBe(derived)
    expect(await reserved(currentBackingKey(key))).toBe(before)
  })
})

describe('a key of suite 2', () => {
  test('reserves a block at the first message, and one at the end of each block', async () => {
    const budget = messageBudget(services)
    const before = await reserved(currentBackingKey(key))
    const blocks = async () =>
      ((await reserved(currentBackingKey(key))) - before) / MESSAGES_PER_BLOCK
    expect(await budget.spend(key)).toBe(key)
    expect(await blocks()).toBe(1)
    for (let count = 1; count < MESSAGES_PER_BLOCK; count++) expect(budget.spend(key)).toBe(key)
    expect(await blocks()).toBe(1)
    expect(await budget.spend(key)).toBe(key)
    expect(await blocks()).toBe(2)
  })

  test('is spent by many at once without counting one twice', async () => {
    const budget = messageBudget(services)
    const before = await reserved(currentBackingKey(key))
    const wanted = 3 * MESSAGES_PER_BLOCK + 5
    await Promise.all(Array.from({ length: wanted }, () => budget.spend(key)))
    const after = await reserved(currentBackingKey(key))
    expect(after - before).toBe(4 * MESSAGES_PER_BLOCK)
  })

  test('loses what a crash left unspent, and no more', async () => {
    const before = await reserved(currentBackingKey(key))
    // Two lives of a process.
    for (let life = 0; life < 2; life++) await messageBudget(services).spend(key)
    expect((await reserved(currentBackingKey(key))) - before).toBe(2 * MESSAGES_PER_BLOCK)
  })

  test('is rotated, once, when its backing key has encrypted all it may', async () => {
    const last = await makeKeyWithBlocks(1)
    const budget = messageBudget(services)
    const blob = await encrypt(pair, last)
    for (let count = 0; count < MESSAGES_PER_BLOCK; count++) {
      const answer = budget.spend(last)
      expect(count === 0 ? await answer : answer).toBe(last)
    }
    const answers = await Promise.all(Array.from({ length: 50 }, () => budget.spend(last)))
    const ids = new Set(answers.map((answer) => currentBackingKey(answer).id))
    expect(ids.size).toBe(1)
    expect(ids).not.toContain(currentBackingKey(last).id)
    expect(answers[0]?.backingKeys).toHaveLength(2)
    expect(answers[0]).toEqual(await store.keys.find(last.keyId))
    expect(currentBackingKey(answers[0] ?? last).rotationType).toBe('AUTOMATIC')
    expect(await decrypt(pair, blob)).toBe(`for ${last.keyId}`)
    // A process that comes later with the key as it was.
    const later = await messageBudget(services).spend(last)
    expect(currentBackingKey(later).id).toBe([...ids][0])
  })

  test('never encrypts more than 2^31 messages, whatever the rotations come to', async () => {
    const last = await makeKeyWithBlocks(1)
    const budget = messageBudget(services)
    await store.keys.change(last.keyId, 'Enabled', { state: 'Disabled' })
    for (let count = 0; count < MESSAGES_PER_BLOCK; count++) await budget.spend(last)
    for (let attempt = 0; attempt < 3; attempt++) {
      await expect(budget.spend(last)).rejects.toMatchObject({ name: 'KeyUnavailableException' })
    }
    const other = messageBudget(services)
    await expect(other.spend(last)).rejects.toMatchObject({ name: 'KeyUnavailableException' })
    await store.keys.change(last.keyId, 'Disabled', { state: 'Enabled' })
    const rotated = await budget.spend(last)
    expect(rotated.backingKeys).toHaveLength(2)
    expect(currentBackingKey(await other.spend(last)).id).toBe(currentBackingKey(rotated).id)
  })
})

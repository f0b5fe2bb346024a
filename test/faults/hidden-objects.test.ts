/**
 * A token whose searches find nothing, always or now and then: no key is destroyed or given up for
 * it, and all of them are used again when they are found.
 */

import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { reconcile } from '../../src/lifecycle/reconcile.ts'
import type { Key } from '../../src/model/key.ts'
import { expectWhole } from '../lifecycle/fixture.ts'
import { authorised, decrypt, encrypt, makeKey, openPair, type Pair } from '../lifecycle/pair.ts'
import { type FaultyToken, makeFaultyToken, whyNoFaultModule } from './fault-module.ts'

const FULL = process.env.KEYSLOT_FAULTS === 'full'
const SEARCHES = Array.from({ length: FULL ? 24 : 2 }, (_, at) => 1 + (FULL ? at : 4 * at))
const PATIENCE_MS = 20_000

const why = whyNoFaultModule()

let token: FaultyToken
let pair: Pair
let keys: readonly Key[]

const open = () => openPair(token.settings, join(token.directory, 'keyslot.db'))

beforeAll(async () => {
  if (why !== undefined) return
  token = await makeFaultyToken()
  pair = await open()
  keys = await Promise.all(Array.from({ length: 4 }, () => makeKey(pair.services)))
})
afterAll(async () => {
  if (why !== undefined) return
  await pair.close()
  token.remove()
})

describe.skipIf(why !== undefined)('objects that are not found', () => {
  test.each([
    ...SEARCHES.map((from) => ({ from, times: 1 })),
    { from: 1, times: Number.POSITIVE_INFINITY },
  ])('by searches from $from on, $times times', { timeout: 60_000 }, async ({ from, times }) => {
    const blobs = await Promise.all(keys.map((key) => encrypt(pair, authorised(key))))
    token.faults.arm('C_FindObjects', { does: 'hide' }, { from, times })
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await reconcile(pair.services, { patienceMs: 0 }).catch(() => undefined)
      for (const { backingKeys } of keys) {
        for (const { id, suite = 1 } of backingKeys) {
          await pair.hsm.objects.provesBackingKey({ id, suite }).catch(() => undefined)
        }
      }
    }
    token.faults.clear()
    const isReady = () => pair.hsm.state().state === 'ready'
    await expect.poll(isReady, { timeout: PATIENCE_MS }).toBe(true)
    for (const [at, blob] of blobs.entries()) {
      expect(await decrypt(pair, blob)).toBe(`for ${keys[at]?.keyId}`)
    }
    expect(await reconcile(pair.services, { patienceMs: 0 })).toMatchObject({
      waiting: [],
      unexplained: [],
      missing: [],
    })
    await expectWhole(pair)
    await pair.close()
    pair = await open()
  })
})

/** A new token and store for a test, and the laws that hold between them. */

import { join } from 'node:path'
import { expect } from 'vitest'
import type { HsmSettings } from '../../src/pkcs11/settings.ts'
import { makeToken, suiteOf } from '../pkcs11/token.ts'
import { authorised, decrypt, encrypt, objectsOf, openPair, type Pair, place } from './pair.ts'

/** A new token with a new store, running, and where they are. */
export async function makePair(
  settings: Partial<HsmSettings> = {},
  clock: () => number = Date.now,
) {
  const token = await makeToken()
  const path = join(token.directory, 'keyslot.db')
  const whole = { ...token.settings, ...settings }
  return { token, path, settings: whole, pair: await openPair(whole, path, clock) }
}

/** Every change has ended, every object has its row, every key works. */
export async function expectWhole(pair: Pair): Promise<void> {
  const { store, hsm } = pair
  expect(await store.intents.pending()).toEqual([])
  const known = await store.backingKeys({ limit: 10_000 })
  const standing = new Map(known.map((each) => [each.id, each.standing]))
  const found = (await objectsOf(pair)).filter((id) => standing.get(id) !== 'abandoned')
  const live = known.filter((each) => each.standing === 'live').map(({ id }) => id)
  expect(found.filter((id) => standing.get(id) !== 'released')).toEqual(live)
  for (const key of await store.keys.list(place, { limit: 1000 })) {
    // What waits for its import is of no use, and has nothing to prove.
    if (key.state === 'PendingImport') continue
    const imported = key.origin === 'EXTERNAL'
    const { spec, usage } = key
    const isSymmetric = spec === 'SYMMETRIC_DEFAULT'
    for (const backingKey of key.backingKeys) {
      const { id, publicKey } = backingKey
      const kind = isSymmetric ? { suite: suiteOf(backingKey) } : { spec, usage, publicKey }
      expect(await hsm.objects.provesBackingKey({ id, imported, ...kind })).toBe(true)
    }
    if (!isSymmetric) continue
    const blob = await encrypt(pair, authorised(key))
    expect(await decrypt(pair, blob)).toBe(`for ${key.keyId}`)
  }
}

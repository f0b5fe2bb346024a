/** A token and a store that belong together, and the laws that hold between them. */

import { join } from 'node:path'
import { expect } from 'vitest'
import type { Services } from '../../src/lifecycle/change.ts'
import { createKey, type KeyInput } from '../../src/lifecycle/create.ts'
import type { Authorised } from '../../src/model/authorised.ts'
import { parseCiphertext } from '../../src/model/ciphertext.ts'
import { canonicalContext } from '../../src/model/encryption-context.ts'
import type { Key } from '../../src/model/key.ts'
import type { HsmSettings } from '../../src/pkcs11/settings.ts'
import { type HsmHandle, startHsm } from '../../src/pkcs11/supervisor.ts'
import { openStore } from '../../src/store/database.ts'
import type { Store } from '../../src/store/store.ts'
import { makeToken } from '../pkcs11/token.ts'

export const place = { region: 'eu-central-1', account: '111122223333' }
export const keyInput: KeyInput = {
  place,
  description: '',
  spec: 'SYMMETRIC_DEFAULT',
  usage: 'ENCRYPT_DECRYPT',
  origin: 'AWS_KMS',
  manager: 'CUSTOMER',
  tags: [],
}
export const DAY_MS = 86_400_000
const context = canonicalContext(new Map())

/** Token and store, running. */
export interface Pair {
  readonly store: Store
  readonly hsm: HsmHandle
  readonly services: Services
  close(): Promise<void>
}

/** Starts the HSM and opens the store; pairs them if they are new. */
export async function openPair(
  settings: HsmSettings,
  path: string,
  clock: () => number = Date.now,
): Promise<Pair> {
  const store = await openStore({ path })
  const installation = await store.installation()
  const hsm = await startHsm({ ...settings, canaryId: installation?.canaryId }, { log: () => {} })
  const { objects } = hsm
  if (installation === undefined) {
    await store.install({ canaryId: await objects.createCanary(), createdMs: clock() })
  }
  const close = async () => {
    await hsm.stop()
    await store.close()
  }
  return { store, hsm, services: { store, objects, clock }, close }
}

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

/** The tests stand where the pipeline does. */
export function authorised(key: Key | undefined): Authorised<Key> {
  if (key === undefined) throw new Error('there is no such key')
  return key as Authorised<Key>
}

export async function makeKey(services: Services): Promise<Authorised<Key>> {
  return authorised(await createKey(services, keyInput))
}

/** A key whose waiting period was over a day ago. */
export async function makeDueKey(services: Services): Promise<Authorised<Key>> {
  const { keyId } = await makeKey(services)
  const change = { state: 'PendingDeletion', deletionMs: services.clock() - DAY_MS } as const
  return authorised(await services.store.keys.change(keyId, 'Enabled', change))
}

export async function encrypt({ hsm }: Pair, key: Authorised<Key>): Promise<string> {
  const plaintext = Buffer.from(`for ${key.keyId}`)
  return (await hsm.hsm.encrypt(key, { plaintext, context }, {})).toString('base64')
}

/** Decrypts with whatever key the store has for it. */
export async function decrypt({ hsm, store }: Pair, blob: string): Promise<string> {
  const ciphertext = parseCiphertext(Buffer.from(blob, 'base64'))
  const key = authorised(await store.keys.find(ciphertext.keyId))
  return (await hsm.hsm.decrypt(key, { ciphertext, context }, {})).toString()
}

/** Ids of all backing keys in the token. */
export async function objectsOf({ hsm }: Pair): Promise<string[]> {
  return (await hsm.objects.listBackingKeys()).map(({ id }) => id).toSorted()
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
    for (const { id, suite } of key.backingKeys) {
      expect(await hsm.objects.provesBackingKey({ id, suite })).toBe(true)
    }
    const blob = await encrypt(pair, authorised(key))
    expect(await decrypt(pair, blob)).toBe(`for ${key.keyId}`)
  }
}

/** A token and a store that belong together: for tests, and for the processes that they kill. */

import type { Services } from '../../src/lifecycle/change.ts'
import { createKey, type KeyInput } from '../../src/lifecycle/create.ts'
import type { Authorised } from '../../src/model/authorised.ts'
import { parseCiphertext } from '../../src/model/ciphertext.ts'
import { canonicalContext } from '../../src/model/encryption-context.ts'
import type { Key } from '../../src/model/key.ts'
import { type HsmHandle, startHsm } from '../../src/pkcs11/client/supervisor.ts'
import type { HsmSettings } from '../../src/pkcs11/settings.ts'
import { openStore } from '../../src/store/database.ts'
import type { Store } from '../../src/store/store.ts'

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

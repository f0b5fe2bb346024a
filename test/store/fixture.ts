/** A store in a temporary directory, and keys to put into it. */

import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BackingKey, Key, Tag } from '../../src/model/key.ts'
import { openStore } from '../../src/store/database.ts'
import type { Intent } from '../../src/store/intent.ts'
import type { NewKey, Store } from '../../src/store/store.ts'

export const place = { region: 'eu-central-1', account: '111122223333' }

/** A directory of its own, which the caller removes. */
export function temporaryDirectory(): { readonly directory: string; remove(): void } {
  const directory = mkdtempSync(join(tmpdir(), 'keyslot-store-'))
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) }
}

/** An open store, which the caller closes and removes. */
export async function temporaryStore() {
  const { directory, remove } = temporaryDirectory()
  const path = join(directory, 'keyslot.db')
  const store = await openStore({ path })
  const end = async () => {
    await store.close()
    remove()
  }
  return { store, path, end }
}

export function backingKey(number: number, part: Partial<BackingKey> = {}): BackingKey {
  return {
    id: randomBytes(16).toString('hex'),
    number,
    suite: 1,
    materialId: randomBytes(32).toString('hex'),
    createdMs: 1000,
    ...part,
  }
}

export function newKey(part: Partial<NewKey> = {}): NewKey {
  return {
    ...place,
    keyId: randomUUID(),
    description: '',
    spec: 'SYMMETRIC_DEFAULT',
    usage: 'ENCRYPT_DECRYPT',
    origin: 'AWS_KMS',
    manager: 'CUSTOMER',
    policy: { text: '{}', principalIds: new Map() },
    createdMs: 1000,
    ...part,
  }
}

export function createIntent(keyId: string): Intent & { kind: 'create' } {
  const intentId = randomUUID()
  return { intentId, keyId, createdMs: 1000, kind: 'create', backingKey: backingKey(1) }
}

export function rotateIntent(key: Key): Intent & { kind: 'rotate' } {
  const createdMs = 2000
  const number = key.backingKeys.length + 1
  const made = backingKey(number, { rotationType: 'ON_DEMAND', createdMs })
  const { keyId } = key
  return { intentId: randomUUID(), keyId, createdMs, kind: 'rotate', backingKey: made }
}

export function destroyIntent(keyId: string): Intent & { kind: 'destroy' } {
  return { intentId: randomUUID(), keyId, createdMs: 3000, kind: 'destroy' }
}

/** A key as `lifecycle` leaves it, without a token. */
export async function insertKey(
  store: Store,
  part: Partial<NewKey> = {},
  tags: readonly Tag[] = [],
): Promise<Key> {
  const key = newKey(part)
  const intent = createIntent(key.keyId)
  await store.intents.beginCreate(key, tags, intent, 100)
  const made = await store.intents.finishMaterial(intent.intentId, { nowMs: 1500 })
  if (made === undefined) throw new Error('the intent has ended already')
  return made
}

/** A key whose waiting period ends at 5000. */
export async function insertDueKey(store: Store): Promise<Key> {
  const { keyId } = await insertKey(store)
  const change = { state: 'PendingDeletion', deletionMs: 5000 } as const
  const pending = await store.keys.change(keyId, 'Enabled', change)
  if (pending === undefined) throw new Error('the key is not Enabled')
  return pending
}

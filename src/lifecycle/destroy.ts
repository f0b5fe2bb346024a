/**
 * Destroying a key whose waiting period is over: the only place where material that was made in the
 * token is destroyed. Imported material and wrapping keys go in `import/`.
 */

import { randomUUID } from 'node:crypto'
import type { Authorised } from '../model/authorised.ts'
import type { Key } from '../model/key.ts'
import type { Intent } from '../store/intent.ts'
import { isRunning, runChange, type Services } from './change.ts'

/**
 * Destroys all backing keys of a key and leaves a tombstone.
 *
 * Whether the key is still PendingDeletion, and its window over, is decided by its row and `clock`
 * at the moment when the destruction begins; until then it can be cancelled, from then on it is
 * carried through, by this call, a repetition of it or `reconcile`.
 *
 * @returns false, with nothing destroyed, if the key is not due (any more), another change of it is
 *   under way, or destruction is on hold (`destructionIsOnHold`).
 */
export async function destroyKey(services: Services, key: Authorised<Key>): Promise<boolean> {
  const { store, clock } = services
  if (await destructionIsOnHold(services)) return false
  const nowMs = clock()
  const { keyId } = key
  const intent = { intentId: randomUUID(), keyId, createdMs: nowMs, kind: 'destroy' as const }
  return runChange(store, intent.intentId, async () => {
    if (await store.intents.beginDestroy(intent, nowMs)) {
      await carryOutDestruction(services, intent)
      return true
    }
    const begun = (await store.intents.pending()).find((other) => other.keyId === keyId)
    if (begun?.kind !== 'destroy' || isRunning(store, begun.intentId)) return false
    await carryOutDestruction(services, begun)
    return true
  })
}

/**
 * Destroys what an intent to destroy says, from whatever point an earlier attempt has reached. An
 * object that is gone already counts as destroyed, which the HSM process believes only after it
 * has found the canary.
 */
export async function carryOutDestruction(
  services: Services,
  intent: Intent & { readonly kind: 'destroy' },
): Promise<void> {
  const { store, objects, clock, log } = services
  const key = await store.keys.find(intent.keyId)
  for (const { id } of key?.backingKeys ?? []) await objects.destroyBackingKey(id)
  if (key?.pendingRotation) await objects.destroyBackingKey(key.pendingRotation.id)
  await store.intents.finishDestroy(intent.intentId, clock())
  log?.('info', 'destroyed a key', { keyId: intent.keyId })
}

/**
 * Whether nothing is to be destroyed for now, because the token holds objects that the store does
 * not explain: then the store may be an older copy, in which a cancelled deletion still stands. An
 * operator explains them by releasing them from quarantine.
 */
export async function destructionIsOnHold({ store }: Pick<Services, 'store'>): Promise<boolean> {
  return (await store.intents.quarantined({ limit: 1 })).length > 0
}

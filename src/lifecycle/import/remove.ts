/**
 * Removing imported material: it is out of use when the intent is committed, then its object is
 * destroyed. The owner of imported material has it, and can import it again.
 */

import { randomUUID } from 'node:crypto'
import type { Authorised } from '../../model/authorised.ts'
import { fail } from '../../model/failures.ts'
import { type BackingKey, hasExpired, type Key } from '../../model/key.ts'
import type { Intent } from '../../store/intent.ts'
import { runChange, type Services } from '../change.ts'

/**
 * Removes material that is in the token.
 *
 * @throws KmsError ConflictException if another change of the key is under way, or the material is
 *   not there any more.
 */
export async function removeMaterial(
  services: Services,
  { keyId, arn }: Authorised<Key>,
  material: BackingKey,
): Promise<void> {
  const { store, clock } = services
  const backingKey = { ...material, imported: { isPresent: false, description: '' } }
  const kind = 'remove' as const
  const intent = { intentId: randomUUID(), keyId, createdMs: clock(), kind, backingKey }
  await runChange(store, intent.intentId, async () => {
    if (!(await store.imports.beginRemoval(intent))) {
      fail('ConflictException', `Another change of ${arn} is under way.`)
    }
    await carryOutRemoval(services, intent)
  })
}

/** Removes all material of a key that has expired. */
export async function expireMaterial(services: Services, key: Authorised<Key>): Promise<void> {
  const { store, clock, log } = services
  // The key that the caller has shows what has expired as gone.
  const now = await store.keys.find(key.keyId)
  if (now === undefined) return
  const { backingKeys, pendingRotation } = now
  for (const material of pendingRotation ? [...backingKeys, pendingRotation] : backingKeys) {
    if (!hasExpired(material, clock())) continue
    await removeMaterial(services, key, material)
    log?.('info', 'imported key material has expired', { keyId: key.keyId })
  }
}

/**
 * Destroys what an intent to remove says, from whatever point an earlier attempt has reached. An
 * object that is gone already counts as destroyed.
 */
export async function carryOutRemoval(
  { store, objects, clock }: Services,
  { intentId, backingKey }: Intent & { readonly kind: 'remove' },
): Promise<void> {
  await objects.destroyBackingKey(backingKey.id)
  await store.imports.finishRemoval(intentId, clock())
}

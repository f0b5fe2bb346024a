/** Rotating a key: a new backing key encrypts from now on, the old ones still decrypt. */

import { randomUUID } from 'node:crypto'
import type { Authorised } from '../model/authorised.ts'
import { fail } from '../model/failures.ts'
import { currentBackingKey, type Key, type RotationType } from '../model/key.ts'
import { ON_DEMAND_ROTATIONS_MAX } from '../model/quotas.ts'
import { makeMaterial, newBackingKey, runChange, type Services } from './change.ts'

/**
 * Rotates a key.
 *
 * An automatic rotation that was due moves the schedule to the next date of its period; any other
 * leaves it as it is.
 *
 * A key of imported material takes what waits for its rotation.
 *
 * @returns the same key with its new backing key, which is current when this resolves.
 * @throws KmsError ConflictException if another change of the key is under way, or has been since
 *   `key` was read; DisabledException or KMSInvalidStateException if the key is not Enabled any
 *   more; LimitExceededException after 25 rotations on demand.
 */
export async function rotateKey(
  services: Services,
  key: Authorised<Key>,
  type: RotationType,
): Promise<Authorised<Key>> {
  const { store, clock } = services
  const onDemand = key.backingKeys.filter(({ rotationType }) => rotationType === 'ON_DEMAND')
  if (type === 'ON_DEMAND' && onDemand.length >= ON_DEMAND_ROTATIONS_MAX) {
    const what = `${ON_DEMAND_ROTATIONS_MAX} times, which is as often as it may be`
    fail('LimitExceededException', `${key.arn} has been rotated on demand ${what}.`)
  }
  if (key.origin === 'EXTERNAL') return rotateImported(services, key, type)
  const { keyId } = key
  const createdMs = clock()
  const backingKey = await newBackingKey(
    services,
    key.spec,
    currentBackingKey(key).number + 1,
    type,
  )
  const intent = { intentId: randomUUID(), keyId, createdMs, kind: 'rotate' as const, backingKey }
  const rotated = await runChange(store, intent.intentId, async () => {
    if (!(await store.intents.beginRotate(intent))) await refuse(services, key)
    return makeMaterial(services, intent, key)
  })
  // The key that the caller is authorised for, as it is now.
  return Object.freeze({ ...key, ...rotated })
}

/** The new material of an imported key is in the token already, and only becomes current. */
async function rotateImported(
  services: Services,
  key: Authorised<Key>,
  type: RotationType,
): Promise<Authorised<Key>> {
  const { store, clock } = services
  if (type !== 'ON_DEMAND') {
    fail('UnsupportedOperationException', `${key.arn} does not rotate by itself.`)
  }
  if (key.pendingRotation === undefined) {
    const what = 'has no imported key material that is pending rotation'
    fail('KMSInvalidStateException', `${key.arn} ${what}.`)
  }
  const rotated = await store.imports.rotate(key.keyId, clock())
  return Object.freeze({ ...key, ...(rotated ?? (await refuse(services, key))) })
}

async function refuse({ store }: Services, { keyId, arn }: Key): Promise<never> {
  const state = (await store.keys.find(keyId))?.state
  if (state === undefined) fail('NotFoundException', `Key '${arn}' does not exist`)
  if (state === 'Disabled') fail('DisabledException', `${arn} is disabled.`)
  if (state !== 'Enabled') fail('KMSInvalidStateException', `${arn} is ${state}.`)
  fail('ConflictException', `Another change of ${arn} is under way.`)
}

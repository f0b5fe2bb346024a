/**
 * What all changes of key material share. Their order makes them safe at every point of a crash:
 * the intent is committed, then the object is made with the intent's id, then read back and
 * proved, then its row becomes active, and then the caller hears of it. A change that stops in
 * between leaves its intent, which `reconcile` settles.
 *
 * No change destroys an object that no row says to destroy, since an object without a row may well
 * be a key that an older copy of the database has forgotten.
 */

import { createHash, randomBytes } from 'node:crypto'
import type { BackingKey, Key, RotationSchedule, RotationType } from '../model/key.ts'
import { isPair, type KeyKind, type KeySpec } from '../model/key-specs.ts'
import type { BackingKeyKind, HsmObjects } from '../pkcs11/hsm.ts'
import type { Intent } from '../store/intent.ts'
import type { Store } from '../store/store.ts'

/** What a change works with. */
export interface Services {
  readonly store: Store
  readonly objects: HsmObjects
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  readonly log?: Log
}

/** Writes a line to the log; nothing secret is ever handed in. */
export type Log = (
  level: 'debug' | 'info' | 'warn' | 'error',
  message: string,
  fields?: Readonly<Record<string, unknown>>,
) => void

/** A change that makes a backing key. */
export type MaterialIntent = Extract<Intent, { kind: 'create' | 'rotate' | 'import' }>

const MATERIAL_DOMAIN = 'keyslot key material v1'
const DAY_MS = 86_400_000

/** The intents whose changes are running in this process, so that reconcile leaves them alone. */
const running = new WeakMap<Store, Set<string>>()

/** Whether the change of this intent is running in this process. */
export function isRunning(store: Store, intentId: string): boolean {
  return running.get(store)?.has(intentId) ?? false
}

/** Runs a change under its intent's id. */
export async function runChange<Answer>(
  store: Store,
  intentId: string,
  change: () => Promise<Answer>,
): Promise<Answer> {
  const ids = running.get(store) ?? new Set()
  running.set(store, ids.add(intentId))
  try {
    return await change()
  } finally {
    ids.delete(intentId)
  }
}

/** What a backing key is made as. */
export function backingKeyKind({ suite }: BackingKey, { spec, usage }: KeyKind): BackingKeyKind {
  return suite === undefined ? { spec, usage } : { suite }
}

/** A backing key about to be made. */
export async function newBackingKey(
  { objects, clock }: Services,
  spec: KeySpec,
  number: number,
  rotationType?: RotationType,
): Promise<BackingKey> {
  const id = randomBytes(16)
  return {
    id: id.toString('hex'),
    number,
    suite: spec === 'SYMMETRIC_DEFAULT' ? await objects.suite() : undefined,
    materialId: createHash('sha256').update(MATERIAL_DOMAIN).update(id).digest('hex'),
    createdMs: clock(),
    rotationType,
  }
}

/** Makes the object of an intent that has been committed, and then its row active. */
export function makeMaterial(
  services: Services,
  intent: MaterialIntent,
  kind: KeyKind,
): Promise<Key> {
  const { backingKey, keyId } = intent
  const { id, number } = backingKey
  const label = `keyslot ${keyId} ${number}`
  const material = { id, label, ...backingKeyKind(backingKey, kind) }
  return carryOut(services, intent, () => services.objects.generateBackingKey(material))
}

/**
 * Carries out an intent that has been committed: its object, and then its row active.
 *
 * If the token fails, the change is settled at once where that is possible, so that a failure
 * which is over does not hold up the next change of this key.
 */
export async function carryOut(
  services: Services,
  intent: MaterialIntent,
  makeObject: () => Promise<Buffer | undefined>,
): Promise<Key> {
  let publicKey: Buffer | undefined
  try {
    publicKey = await makeObject()
  } catch (error) {
    const key = await settle(services, intent).catch((cause: unknown) => {
      services.log?.('warn', 'a change of key material waits to be settled', {
        intentId: intent.intentId,
        keyId: intent.keyId,
        cause,
      })
    })
    if (key !== undefined) return key
    throw error
  }
  const key = await finish(services, intent, publicKey)
  if (key === undefined) {
    throw new Error(`intent ${intent.intentId} was given up while it was being carried out`)
  }
  return key
}

/**
 * Ends a change whose course is not known: finishes it if its object is in the token and proves
 * itself, else gives it up.
 *
 * A create whose caller never heard of it is finished too, and becomes a key like one whose answer
 * was lost on the way, which AWS's clients have to expect as well. To destroy its object instead
 * would be dangerous: in a database restored from a backup an intent may be open whose key has
 * been acknowledged and used since.
 *
 * A pair can be finished only where its private half tells of its public one. Where it does not,
 * the change is given up: nobody has seen a public key of it, and nothing was ever made with it.
 *
 * An object that does not prove itself is left alone as well: that is a negative finding. Its id
 * stays on record as given up.
 *
 * @returns the key, or `undefined` if the change was given up.
 */
export async function settle(services: Services, intent: MaterialIntent): Promise<Key | undefined> {
  const { store, objects } = services
  const { id } = intent.backingKey
  const kind = await store.keys.kindOf(intent.keyId)
  if (kind === undefined) throw new Error(`intent ${intent.intentId} is for no key`)
  const publicKey = isPair(kind.spec) ? await objects.publicKeyOf({ id, ...kind }) : undefined
  const imported = intent.kind === 'import'
  const material = { id, publicKey, imported, ...backingKeyKind(intent.backingKey, kind) }
  if (await objects.provesBackingKey(material)) return finish(services, intent, publicKey)
  await store.intents.abandon(intent.intentId, services.clock())
  return undefined
}

/**
 * Makes the proved backing key of an intent current.
 *
 * @returns the key, or `undefined` if the change was given up by another process.
 */
async function finish(
  services: Services,
  intent: MaterialIntent,
  publicKey: Buffer | undefined,
): Promise<Key | undefined> {
  const { store, clock } = services
  const nowMs = clock()
  const before = await store.keys.find(intent.keyId)
  const finished = await store.intents.finishMaterial(intent.intentId, {
    nowMs,
    rotation: nextRotation(before, intent, nowMs),
    publicKey,
  })
  if (finished !== undefined) return finished
  const key = await store.keys.find(intent.keyId)
  const { id } = intent.backingKey
  const theirs = [...(key?.backingKeys ?? []), key?.pendingRotation].some((each) => each?.id === id)
  return theirs ? key : undefined
}

/**
 * The schedule after an automatic rotation that was due: the next date on the grid of its period.
 * One on demand, or forced before its time, does not move the schedule.
 * https://docs.aws.amazon.com/kms/latest/developerguide/rotating-keys-on-demand.html
 */
function nextRotation(
  key: Key | undefined,
  intent: MaterialIntent,
  nowMs: number,
): RotationSchedule | undefined {
  const schedule = key?.rotation
  if (schedule === undefined || intent.backingKey.rotationType !== 'AUTOMATIC') return undefined
  if (schedule.nextMs > nowMs) return undefined
  const periodMs = schedule.periodInDays * DAY_MS
  const periods = Math.floor((nowMs - schedule.nextMs) / periodMs) + 1
  return { ...schedule, nextMs: schedule.nextMs + periods * periodMs }
}

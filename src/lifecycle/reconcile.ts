/**
 * Brings token and store back together after a crash: at start, and regularly.
 *
 * Changes that nobody is carrying out any more are settled or carried on. Objects and rows that do
 * not match are reported, put on record and left alone: nothing is destroyed or deleted because
 * something was not found, and nothing because something was found that should not be there.
 */

import { setImmediate } from 'node:timers/promises'
import type { Intent } from '../store/intent.ts'
import type { KnownBackingKey, Store } from '../store/store.ts'
import { isRunning, type MaterialIntent, type Services, settle } from './change.ts'
import { carryOutDestruction, destructionIsOnHold } from './destroy.ts'
import { carryOutRemoval } from './import/remove.ts'
import { destroySpentWrappingKeys } from './import/wrapping-keys.ts'

/** What a reconciliation found and did. Backing keys go by their CKA_ID, keys by their key id. */
export interface ReconcileReport {
  /** Keys whose interrupted creation, rotation or import was finished. */
  readonly finished: readonly string[]
  /** Keys whose interrupted creation, rotation or import was given up. */
  readonly abandoned: readonly string[]
  /** Keys whose interrupted destruction was carried out. */
  readonly destroyed: readonly string[]
  /** Keys with an interrupted change that has to wait: the token failed, or it is too young. */
  readonly waiting: readonly string[]
  /** Objects that no row explains: in quarantine. */
  readonly unexplained: readonly string[]
  /** Objects of changes that were given up: left alone, never used. */
  readonly leftovers: readonly string[]
  /** Objects of destroyed keys or removed material, in the token again: left alone, never used. */
  readonly returned: readonly string[]
  /** Backing keys of keys that are not in the token. */
  readonly missing: readonly { readonly keyId?: string; readonly backingKeyId: string }[]
  /** Wrapping keys in the token that no row explains: left alone, never used. */
  readonly strayWrappingKeys: readonly string[]
  /** Whether the token knows of keys that the store does not, like after an old backup. */
  readonly storeLooksOlderThanToken: boolean
}

/** Settings of a reconciliation. */
export interface ReconcileSettings {
  /**
   * How old an intent must be to be settled, in milliseconds, unless given 60,000: another process
   * may still be carrying it out. 0 for a process that has the store to itself.
   */
  readonly patienceMs?: number
}

/** As long as the token is given for making a key. */
const PATIENCE_MS = 60_000
/** How many rows are read at a time: a few milliseconds. */
const PAGE_ROWS = 1000

/**
 * Reconciles token and store.
 *
 * @throws what the HSM throws when the token's objects cannot be listed; intents have been seen to
 *   by then, as far as that was possible.
 */
export async function reconcile(
  services: Services,
  settings: ReconcileSettings = {},
): Promise<ReconcileReport> {
  const material = await settleMaterial(services, settings)
  // Before anything is destroyed, since what is unexplained puts that on hold.
  const comparison = await compareObjects(services)
  const destruction = await carryOnDestructions(services, settings)
  await destroySpentWrappingKeys(services)
  return {
    ...comparison,
    strayWrappingKeys: await strayWrappingKeys(services),
    finished: material.finished,
    abandoned: material.abandoned,
    destroyed: destruction.destroyed,
    waiting: [...material.waiting, ...destruction.waiting],
    storeLooksOlderThanToken: comparison.unexplained.length > 0,
  }
}

/**
 * Settles the changes that nobody is carrying out any more, without looking at the whole token:
 * until then each of them stands in the way of the next change of its key. Destroys the wrapping
 * keys that are of no more use.
 */
export async function settleInterrupted(
  services: Services,
  settings: ReconcileSettings = {},
): Promise<void> {
  await settleMaterial(services, settings)
  await carryOnDestructions(services, settings)
  await destroySpentWrappingKeys(services)
}

async function settleMaterial(services: Services, settings: ReconcileSettings) {
  const finished: string[] = []
  const abandoned: string[] = []
  const waiting: string[] = []
  for (const intent of await services.store.intents.pending()) {
    if (intent.kind === 'destroy' || intent.kind === 'remove') continue
    const { keyId, intentId } = intent
    if (!isLeft(services, settings, intent)) {
      waiting.push(keyId)
      continue
    }
    const outcome = await settleOne(services, intent)
    if (outcome === 'finished') finished.push(keyId)
    if (outcome === 'abandoned') abandoned.push(keyId)
    if (outcome === 'waiting') waiting.push(keyId)
    services.log?.('info', `an interrupted ${intent.kind} was reconciled`, {
      keyId,
      intentId,
      outcome,
    })
  }
  return { finished, abandoned, waiting }
}

async function settleOne(services: Services, intent: MaterialIntent) {
  try {
    return (await settle(services, intent)) === undefined ? 'abandoned' : 'finished'
  } catch (cause) {
    services.log?.('error', 'cannot settle an interrupted change', { keyId: intent.keyId, cause })
    return 'waiting'
  }
}

async function carryOnDestructions(services: Services, settings: ReconcileSettings) {
  const destroyed: string[] = []
  const waiting: string[] = []
  const onHold = await destructionIsOnHold(services)
  for (const intent of await services.store.intents.pending()) {
    if (intent.kind !== 'destroy' && intent.kind !== 'remove') continue
    const { keyId } = intent
    try {
      // Imported material is taken out of use already, and its owner has it.
      if ((onHold && intent.kind === 'destroy') || !isLeft(services, settings, intent)) {
        waiting.push(keyId)
        continue
      }
      if (intent.kind === 'remove') {
        await carryOutRemoval(services, intent)
        continue
      }
      await carryOutDestruction(services, intent)
      destroyed.push(keyId)
    } catch (cause) {
      services.log?.('error', 'cannot carry on a destruction', { keyId, cause })
      waiting.push(keyId)
    }
  }
  return { destroyed, waiting }
}

/** Whether nobody is carrying out this change any more. */
function isLeft(
  { store, clock }: Services,
  { patienceMs = PATIENCE_MS }: ReconcileSettings,
  { intentId, createdMs }: Intent,
): boolean {
  // Either way, lest an intent wait for years after a clock was put back.
  return !isRunning(store, intentId) && Math.abs(clock() - createdMs) >= patienceMs
}

async function compareObjects(services: Services) {
  const { store, objects } = services
  // Rows before and after: what is made or destroyed while the token is being listed has changed
  // its row first, and is seen in one of the two.
  const before = await knownBackingKeys(store)
  const found = new Set((await objects.listBackingKeys()).map(({ id }) => id))
  const after = await knownBackingKeys(store)
  const standing = (id: string) => after.get(id)?.standing
  const unexplained = [...found].filter((id) => standing(id) === undefined)
  const leftovers = [...found].filter((id) => standing(id) === 'abandoned')
  const returned = [...found].filter(
    (id) => isGone(standing(id)) && isGone(before.get(id)?.standing),
  )
  const missing = [...before]
    .filter(([id, known]) => known.standing === 'live' && standing(id) === 'live' && !found.has(id))
    .map(([id, { keyId }]) => ({ keyId, backingKeyId: id }))
  const comparison = { unexplained, leftovers, returned, missing }
  await record(services, comparison)
  return comparison
}

function isGone(standing: KnownBackingKey['standing'] | undefined): boolean {
  return standing === 'destroyed' || standing === 'removed'
}

async function strayWrappingKeys({ store, objects, log }: Services): Promise<string[]> {
  const stray: string[] = []
  for (const id of await objects.listWrappingKeys()) {
    const known = await store.imports.findWrappingKey(id)
    if (known === undefined || known.isDestroyed) stray.push(id)
  }
  if (stray.length > 0) log?.('warn', 'the token holds wrapping keys of no import', { ids: stray })
  return stray
}

async function record(
  { store, clock, log }: Services,
  comparison: Pick<ReconcileReport, 'unexplained' | 'leftovers' | 'returned' | 'missing'>,
): Promise<void> {
  const { unexplained, leftovers, returned, missing } = comparison
  for (const id of unexplained) {
    await store.intents.quarantine(id, clock(), 'No row of the store explains this object.')
  }
  if (unexplained.length > 0) {
    log?.('error', 'the token holds keys that the store does not know: is the store an old copy?', {
      backingKeyIds: unexplained,
    })
  }
  if (leftovers.length > 0) {
    log?.('warn', 'the token holds objects of changes that were given up', {
      backingKeyIds: leftovers,
    })
  }
  if (returned.length > 0) {
    log?.('error', 'the token holds the material of destroyed keys: is the token an old copy?', {
      backingKeyIds: returned,
    })
  }
  if (missing.length > 0) {
    log?.('error', 'the token does not hold the material of keys', { missing })
  }
}

async function knownBackingKeys(store: Store): Promise<Map<string, KnownBackingKey>> {
  const known = new Map<string, KnownBackingKey>()
  let after: string | undefined
  for (;;) {
    const page = await store.backingKeys({ after, limit: PAGE_ROWS })
    for (const backingKey of page) known.set(backingKey.id, backingKey)
    after = page.at(-1)?.id
    if (page.length < PAGE_ROWS) return known
    // The store answers synchronously underneath; let others have their turn.
    await setImmediate()
  }
}

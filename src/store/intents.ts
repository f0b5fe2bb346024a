/** Changes under way that span token and store, and the objects that nothing explains. */

import type { Kysely } from 'kysely'
import type { KeyState } from '../model/key.ts'
import type { HotCopies } from './copies/hot-copies.ts'
import { finishImport } from './import/changes.ts'
import type { Intent } from './intent.ts'
import { countKeys, readKey } from './keys.ts'
import {
  backingKeyRow,
  type IntentRow,
  intentOf,
  intentRow,
  type KeyRow,
  policyColumns,
  type Tables,
} from './rows.ts'
import type { IntentStore, NewKey } from './store.ts'

/** The changes under way of a database. */
export function intentStore(db: Kysely<Tables>, copies: HotCopies): IntentStore {
  return { ...beginnings(db), ...endings(db, copies), ...records(db) }
}

function beginnings(
  db: Kysely<Tables>,
): Pick<IntentStore, 'beginCreate' | 'beginRotate' | 'beginDestroy'> {
  return {
    beginCreate: (key, tags, intent, most) =>
      db.transaction().execute(async (transaction) => {
        if ((await countKeys(transaction, key)) >= most) return 'full'
        const { numInsertedOrUpdatedRows = 0n } = await transaction
          .insertInto('keys')
          .values(newKeyRow(key, intent === undefined ? 'PendingImport' : 'Creating'))
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirstOrThrow()
        if (numInsertedOrUpdatedRows === 0n) return 'exists'
        if (intent !== undefined) await begin(transaction, intentRow(intent))
        for (const { key: tag_key, value: tag_value } of tags) {
          const row = { key_id: key.keyId, tag_key, tag_value }
          await transaction.insertInto('tags').values(row).execute()
        }
        return 'begun'
      }),

    beginRotate: (intent) =>
      db.transaction().execute(async (transaction) => {
        const key = await readKey(transaction, intent.keyId)
        if (key?.state !== 'Enabled') return false
        if (intent.backingKey.number !== key.backingKeys.length + 1) return false
        return begin(transaction, intentRow(intent))
      }),

    beginDestroy: (intent, nowMs) =>
      db.transaction().execute(async (transaction) => {
        const key = await readKey(transaction, intent.keyId)
        if (key?.state !== 'PendingDeletion' || key.deletionMs === undefined) return false
        if (key.deletionMs > nowMs) return false
        return begin(transaction, intentRow(intent))
      }),
  }
}

/**
 * Begins a change.
 *
 * @returns false if another change of the same key is under way.
 */
export async function begin(transaction: Kysely<Tables>, row: IntentRow): Promise<boolean> {
  const { numInsertedOrUpdatedRows = 0n } = await transaction
    .insertInto('intents')
    .values(row)
    .onConflict((conflict) => conflict.column('key_id').doNothing())
    .executeTakeFirstOrThrow()
  return numInsertedOrUpdatedRows > 0n
}

function endings(
  db: Kysely<Tables>,
  copies: HotCopies,
): Pick<IntentStore, 'finishMaterial' | 'finishDestroy' | 'abandon'> {
  return {
    async finishMaterial(intentId, { nowMs, rotation, publicKey }) {
      const finished = await db.transaction().execute(async (transaction) => {
        const intent = await endIntent(transaction, intentId)
        if (intent === undefined) return undefined
        if (intent.kind === 'import') return finishImport(transaction, intent, { nowMs, publicKey })
        refuseKinds(intent, 'destroy', 'remove')
        const { backingKey, keyId } = intent
        await transaction
          .insertInto('backing_keys')
          .values(backingKeyRow(keyId, { ...backingKey, publicKey, createdMs: nowMs }))
          .execute()
        await transaction
          .updateTable('keys')
          .set({ state: 'Enabled' })
          .where('key_id', '=', keyId)
          .where('state', '=', 'Creating')
          .execute()
        if (rotation !== undefined) {
          await transaction
            .updateTable('keys')
            .set({ schedule_next_ms: rotation.nextMs })
            .where('key_id', '=', keyId)
            .where('schedule_period_in_days', '=', rotation.periodInDays)
            .where('schedule_next_ms', '<', rotation.nextMs)
            .execute()
        }
        const key = await readKey(transaction, keyId)
        if (key === undefined) throw new Error(`intent ${intentId} was for no key`)
        return key
      })
      if (finished !== undefined) copies.keys.drop(finished.keyId)
      return finished
    },

    async finishDestroy(intentId, nowMs) {
      const keyId = await db.transaction().execute(async (transaction) => {
        const intent = await endIntent(transaction, intentId)
        if (intent === undefined) return undefined
        refuseKinds(intent, 'create', 'rotate', 'import', 'remove')
        const { keyId } = intent
        await transaction.deleteFrom('aliases').where('target_key_id', '=', keyId).execute()
        await transaction.deleteFrom('tags').where('key_id', '=', keyId).execute()
        await transaction.deleteFrom('grants').where('key_id', '=', keyId).execute()
        await transaction.deleteFrom('last_uses').where('key_id', '=', keyId).execute()
        await transaction
          .updateTable('keys')
          .set({ destroyed_ms: nowMs })
          .where('key_id', '=', keyId)
          .execute()
        return keyId
      })
      if (keyId === undefined) return
      copies.keys.drop(keyId)
      copies.aliases.clear()
      copies.grants.clear()
      copies.bound.clear()
    },

    abandon: (intentId, nowMs) =>
      db.transaction().execute(async (transaction) => {
        const intent = await endIntent(transaction, intentId)
        if (intent === undefined) return
        refuseKinds(intent, 'destroy', 'remove')
        const { keyId, backingKey } = intent
        // Material that is imported again keeps its id.
        if (intent.kind === 'import' && (await isKnown(transaction, backingKey.id))) return
        await transaction
          .insertInto('abandoned_backing_keys')
          .values({ id: backingKey.id, key_id: keyId, abandoned_ms: nowMs })
          .execute()
        if (intent.kind !== 'create') return
        await transaction.deleteFrom('tags').where('key_id', '=', keyId).execute()
        await transaction
          .deleteFrom('keys')
          .where('key_id', '=', keyId)
          .where('state', '=', 'Creating')
          .execute()
      }),
  }
}

/** Ends an intent, and answers what it was. */
export async function endIntent(transaction: Kysely<Tables>, intentId: string) {
  const row = await transaction
    .selectFrom('intents')
    .selectAll()
    .where('intent_id', '=', intentId)
    .executeTakeFirst()
  if (row === undefined) return undefined
  await transaction.deleteFrom('intents').where('intent_id', '=', intentId).execute()
  return intentOf(row)
}

/** @throws Error naming the intent if it is of one of these kinds: a bug. */
function refuseKinds<Kind extends Intent['kind']>(
  intent: Intent,
  ...kinds: Kind[]
): asserts intent is Exclude<Intent, { kind: Kind }> {
  if ((kinds as string[]).includes(intent.kind)) {
    throw new Error(`intent ${intent.intentId} is to ${intent.kind}`)
  }
}

async function isKnown(transaction: Kysely<Tables>, backingKeyId: string): Promise<boolean> {
  const row = await transaction
    .selectFrom('backing_keys')
    .select('id')
    .where('id', '=', backingKeyId)
    .executeTakeFirst()
  return row !== undefined
}

function records(
  db: Kysely<Tables>,
): Pick<IntentStore, 'pending' | 'quarantine' | 'quarantined' | 'release'> {
  return {
    async pending() {
      const rows = await db
        .selectFrom('intents')
        .selectAll()
        .orderBy('created_ms')
        .orderBy('intent_id')
        .execute()
      return rows.map(intentOf)
    },

    async quarantine(backingKeyId, nowMs, reason) {
      await db
        .insertInto('quarantine')
        .values({ backing_key_id: backingKeyId, found_ms: nowMs, reason, released_ms: null })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    },

    async quarantined({ after = '', limit }) {
      const rows = await db
        .selectFrom('quarantine')
        .selectAll()
        .where('backing_key_id', '>', after)
        .where('released_ms', 'is', null)
        .orderBy('backing_key_id')
        .limit(limit)
        .execute()
      return rows.map((row) => ({
        backingKeyId: row.backing_key_id,
        foundMs: row.found_ms,
        reason: row.reason,
      }))
    },

    async release(backingKeyId, nowMs) {
      await db
        .updateTable('quarantine')
        .set({ released_ms: nowMs })
        .where('backing_key_id', '=', backingKeyId)
        .execute()
    },
  }
}

function newKeyRow(key: NewKey, state: KeyState): KeyRow {
  return {
    key_id: key.keyId,
    account: key.account,
    region: key.region,
    description: key.description,
    spec: key.spec,
    usage: key.usage,
    origin: key.origin,
    manager: key.manager,
    ...policyColumns(key.policy),
    state,
    created_ms: key.createdMs,
    deletion_ms: key.deletionMs ?? null,
    schedule_period_in_days: key.rotation?.periodInDays ?? null,
    schedule_next_ms: key.rotation?.nextMs ?? null,
    destroyed_ms: null,
  }
}

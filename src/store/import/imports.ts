/** Imports and removals of material in a database. */

import type { Kysely } from 'kysely'
import type { HotCopies } from '../copies/hot-copies.ts'
import { begin, endIntent } from '../intents.ts'
import { readKey, readKeys, withoutChangeUnderWay } from '../keys.ts'
import { intentRow, type Tables } from '../rows.ts'
import { useWrappingKey } from './changes.ts'
import type { ImportStore } from './store.ts'
import { wrappingKeyStore } from './wrapping-keys.ts'

/** The imports of a database. */
export function importStore(db: Kysely<Tables>, copies: HotCopies): ImportStore {
  return { ...wrappingKeyStore(db), ...imports(db, copies), ...removals(db, copies) }
}

function imports(
  db: Kysely<Tables>,
  copies: HotCopies,
): Pick<ImportStore, 'beginImport' | 'renew' | 'rotate'> {
  return {
    beginImport: (intent) =>
      db.transaction().execute(async (transaction) => {
        const key = await readKey(transaction, intent.keyId)
        if (key?.origin !== 'EXTERNAL' || !TAKES_MATERIAL.includes(key.state)) return false
        const { backingKey } = intent
        const known = key.backingKeys.find(({ id }) => id === backingKey.id)
        const isNext = backingKey.number === key.backingKeys.length + 1
        const takes = known ? known.imported?.isPresent === false : isNext && !key.pendingRotation
        if (!takes || !(await isUnused(transaction, intent.wrappingKeyId))) return false
        return begin(transaction, intentRow(intent))
      }),

    async renew({ keyId, backingKeyId, wrappingKeyId, imported, nowMs }) {
      const renewed = await db.transaction().execute(async (transaction) => {
        const key = await readKey(transaction, keyId)
        if (key === undefined || !TAKES_MATERIAL.includes(key.state)) return undefined
        const known = [...key.backingKeys, key.pendingRotation].find(
          (material) => material?.id === backingKeyId,
        )
        if (!known?.imported?.isPresent || (await hasChange(transaction, keyId))) return undefined
        if (!(await useWrappingKey(transaction, wrappingKeyId, nowMs))) return undefined
        await transaction
          .updateTable('backing_keys')
          .set({ valid_to_ms: imported.validToMs ?? null, description: imported.description })
          .where('id', '=', backingKeyId)
          .execute()
        return readKey(transaction, keyId)
      })
      if (renewed !== undefined) copies.keys.drop(keyId)
      return renewed
    },

    async rotate(keyId, nowMs) {
      const rotated = await db.transaction().execute(async (transaction) => {
        const key = await readKey(transaction, keyId)
        if (key?.state !== 'Enabled' || key.pendingRotation === undefined) return undefined
        if (await hasChange(transaction, keyId)) return undefined
        await transaction
          .updateTable('backing_keys')
          .set({ pending_rotation: 0, created_ms: nowMs, rotation_type: 'ON_DEMAND' })
          .where('id', '=', key.pendingRotation.id)
          .execute()
        return readKey(transaction, keyId)
      })
      if (rotated !== undefined) copies.keys.drop(keyId)
      return rotated
    },
  }
}

function removals(
  db: Kysely<Tables>,
  copies: HotCopies,
): Pick<ImportStore, 'beginRemoval' | 'finishRemoval' | 'dueForExpiry'> {
  return {
    async beginRemoval(intent) {
      const { keyId, backingKey } = intent
      const begun = await db.transaction().execute(async (transaction) => {
        const row = await transaction
          .selectFrom('backing_keys')
          .selectAll()
          .where('id', '=', backingKey.id)
          .where('key_id', '=', keyId)
          .where('present', '=', 1)
          .executeTakeFirst()
        if (row === undefined || !(await begin(transaction, intentRow(intent)))) return false
        await transaction
          .updateTable('backing_keys')
          .set({ present: 0, valid_to_ms: null })
          .where('id', '=', backingKey.id)
          .execute()
        if (row.pending_rotation !== 0) return true
        await transaction
          .updateTable('keys')
          .set({ state: 'PendingImport' })
          .where('key_id', '=', keyId)
          .where('state', 'in', ['Enabled', 'Disabled'])
          .execute()
        return true
      })
      if (begun) copies.keys.drop(keyId)
      return begun
    },

    async finishRemoval(intentId, nowMs) {
      const keyId = await db.transaction().execute(async (transaction) => {
        const intent = await endIntent(transaction, intentId)
        if (intent === undefined) return undefined
        if (intent.kind !== 'remove') throw new Error(`intent ${intentId} is to ${intent.kind}`)
        const { keyId, backingKey } = intent
        const { numDeletedRows } = await transaction
          .deleteFrom('backing_keys')
          .where('id', '=', backingKey.id)
          .where('pending_rotation', '=', 1)
          .executeTakeFirstOrThrow()
        if (numDeletedRows > 0n) {
          await transaction
            .insertInto('abandoned_backing_keys')
            .values({ id: backingKey.id, key_id: keyId, abandoned_ms: nowMs })
            .execute()
        }
        return keyId
      })
      if (keyId !== undefined) copies.keys.drop(keyId)
    },

    dueForExpiry: (nowMs, limit) =>
      readKeys(db, { order: 'key_id', limit }, (keys) =>
        keys
          .where(withoutChangeUnderWay)
          .where(({ exists, selectFrom }) =>
            exists(
              selectFrom('backing_keys')
                .select('id')
                .whereRef('backing_keys.key_id', '=', 'keys.key_id')
                .where('present', '=', 1)
                .where('valid_to_ms', '<=', nowMs),
            ),
          ),
      ),
  }
}

const TAKES_MATERIAL: readonly string[] = ['PendingImport', 'Enabled', 'Disabled']

async function isUnused(transaction: Kysely<Tables>, wrappingKeyId: string): Promise<boolean> {
  const row = await transaction
    .selectFrom('wrapping_keys')
    .select('id')
    .where('id', '=', wrappingKeyId)
    .where('used_ms', 'is', null)
    .executeTakeFirst()
  return row !== undefined
}

async function hasChange(transaction: Kysely<Tables>, keyId: string): Promise<boolean> {
  const row = await transaction
    .selectFrom('intents')
    .select('intent_id')
    .where('key_id', '=', keyId)
    .executeTakeFirst()
  return row !== undefined
}

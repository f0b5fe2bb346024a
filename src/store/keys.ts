/** The keys; tombstones and keys being made are not among them. */

import type { ExpressionBuilder, Kysely, SelectQueryBuilder } from 'kysely'
import type { Place } from '../model/arn.ts'
import { hasAllMaterial, type Key } from '../model/key.ts'
import type { HotCopies } from './copies/hot-copies.ts'
import {
  type BackingKeyRow,
  type KeyRow,
  keyOf,
  kindOf,
  policyColumns,
  type Tables,
} from './rows.ts'
import type { KeyChange, KeyStore } from './store.ts'

/** The keys of a database. */
export function keyStore(db: Kysely<Tables>, copies: HotCopies): KeyStore {
  return {
    known: (keyId) => copies.keys.find(keyId),

    async find(keyId) {
      copies.refresh()
      const known = copies.keys.find(keyId)
      if (known !== undefined) return known
      const { epoch } = copies.keys
      const key = await readKey(db, keyId)
      if (key !== undefined) copies.keys.put(keyId, key, epoch)
      return key
    },

    list: ({ account, region }, { after = '', limit }) =>
      readKeys(db, { order: 'key_id', limit }, (keys) =>
        keys
          .where('account', '=', account)
          .where('region', '=', region)
          .where('key_id', '>', after)
          .where(notBeingDestroyed),
      ),

    count: (place) => countKeys(db, place),

    async kindOf(keyId) {
      const row = await db
        .selectFrom('keys')
        .select(['spec', 'usage'])
        .where('key_id', '=', keyId)
        .executeTakeFirst()
      return row && kindOf(row, keyId)
    },

    async change(keyId, from, change) {
      const changed = await db.transaction().execute(async (transaction) => {
        const { numUpdatedRows } = await transaction
          .updateTable('keys')
          .set({ ...changedColumns(change), state: change.state ?? from })
          .where('key_id', '=', keyId)
          .where('state', '=', from)
          .where('state', '<>', 'Creating')
          .where('destroyed_ms', 'is', null)
          .where(notBeingDestroyed)
          .executeTakeFirstOrThrow()
        return numUpdatedRows === 0n ? undefined : readWhole(transaction, keyId)
      })
      if (changed !== undefined) copies.keys.drop(keyId)
      return changed
    },

    dueForRotation: (nowMs, limit) =>
      readKeys(db, { order: 'schedule_next_ms', limit }, (keys) =>
        keys
          .where('state', '=', 'Enabled')
          .where('schedule_next_ms', '<=', nowMs)
          .where(withoutChangeUnderWay),
      ),

    dueForDeletion: (nowMs, limit) =>
      readKeys(db, { order: 'deletion_ms', limit }, (keys) =>
        keys
          .where('state', '=', 'PendingDeletion')
          .where('deletion_ms', '<=', nowMs)
          .where(withoutChangeUnderWay),
      ),
  }
}

/** A key that has changed; its imported material may have been deleted in the meantime. */
async function readWhole(db: Kysely<Tables>, keyId: string): Promise<Key | undefined> {
  const key = await readKey(db, keyId)
  if (key?.state !== 'Disabled' || key.origin !== 'EXTERNAL' || hasAllMaterial(key)) return key
  await db.updateTable('keys').set({ state: 'PendingImport' }).where('key_id', '=', keyId).execute()
  return readKey(db, keyId)
}

/** The key by its id, in whatever state but `Creating` or destroyed, from the database itself. */
export async function readKey(db: Kysely<Tables>, keyId: string): Promise<Key | undefined> {
  const rows = await db
    .selectFrom('keys as key')
    .leftJoin('backing_keys as backing', 'backing.key_id', 'key.key_id')
    .selectAll('key')
    .select(BACKING_COLUMNS)
    .where('key.key_id', '=', keyId)
    .where('key.destroyed_ms', 'is', null)
    .where('key.state', '<>', 'Creating')
    .orderBy('backing.number')
    .execute()
  return keysOf(rows)[0]
}

/** How many keys an account has in a Region, those being made or destroyed included. */
export async function countKeys(db: Kysely<Tables>, { account, region }: Place): Promise<number> {
  const { count } = await db
    .selectFrom('keys')
    .where('account', '=', account)
    .where('region', '=', region)
    .where('destroyed_ms', 'is', null)
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** Whether there is a key of this id whose destruction has not begun. */
export async function keyIsThere(db: Kysely<Tables>, keyId: string): Promise<boolean> {
  const found = await db
    .selectFrom('keys')
    .select('key_id')
    .where('key_id', '=', keyId)
    .where('destroyed_ms', 'is', null)
    .where('state', '<>', 'Creating')
    .where(notBeingDestroyed)
    .executeTakeFirst()
  return found !== undefined
}

function changedColumns(change: KeyChange) {
  const { rotation, policy } = change
  return {
    ...(policy && policyColumns(policy)),
    description: change.description,
    deletion_ms: change.deletionMs,
    schedule_period_in_days: rotation === null ? null : rotation?.periodInDays,
    schedule_next_ms: rotation === null ? null : rotation?.nextMs,
  }
}

/** Left out: keys with a change under way. */
export function withoutChangeUnderWay({
  not,
  exists,
  selectFrom,
}: ExpressionBuilder<Tables, 'keys'>) {
  return not(
    exists(
      selectFrom('intents').select('intent_id').whereRef('intents.key_id', '=', 'keys.key_id'),
    ),
  )
}

function notBeingDestroyed({ not, exists, selectFrom }: ExpressionBuilder<Tables, 'keys'>) {
  return not(
    exists(
      selectFrom('intents')
        .select('intent_id')
        .whereRef('intents.key_id', '=', 'keys.key_id')
        .where('kind', '=', 'destroy'),
    ),
  )
}

type Keys = SelectQueryBuilder<Tables, 'keys', KeyRow>

/** Keys with their backing keys in one statement, so that both are of the same moment. */
export async function readKeys(
  db: Kysely<Tables>,
  page: { readonly order: 'key_id' | 'schedule_next_ms' | 'deletion_ms'; readonly limit: number },
  choose: (keys: Keys) => Keys,
): Promise<Key[]> {
  const keys = db
    .selectFrom('keys')
    .selectAll()
    .where('destroyed_ms', 'is', null)
    .where('state', '<>', 'Creating')
  const chosen = choose(keys)
    .orderBy(page.order)
    .$if(page.order !== 'key_id', (ordered) => ordered.orderBy('key_id'))
    .limit(page.limit)
  const rows = await db
    .selectFrom(chosen.as('key'))
    .leftJoin('backing_keys as backing', 'backing.key_id', 'key.key_id')
    .selectAll('key')
    .select(BACKING_COLUMNS)
    .orderBy(`key.${page.order}`)
    .orderBy('key.key_id')
    .orderBy('backing.number')
    .execute()
  return keysOf(rows)
}

const BACKING_COLUMNS = [
  'backing.id as backing_id',
  'backing.number as backing_number',
  'backing.suite as backing_suite',
  'backing.material_id as backing_material_id',
  'backing.created_ms as backing_created_ms',
  'backing.rotation_type as backing_rotation_type',
  'backing.present as backing_present',
  'backing.valid_to_ms as backing_valid_to_ms',
  'backing.description as backing_description',
  'backing.pending_rotation as backing_pending_rotation',
  'backing.public_key as backing_public_key',
] as const

/** A key beside one of its backing keys, if it has any. */
interface JoinedRow extends KeyRow {
  backing_id: string | null
  backing_number: number | null
  backing_suite: number | null
  backing_material_id: string | null
  backing_created_ms: number | null
  backing_rotation_type: string | null
  backing_present: number | null
  backing_valid_to_ms: number | null
  backing_description: string | null
  backing_pending_rotation: number | null
  backing_public_key: Uint8Array | null
}

function keysOf(rows: readonly JoinedRow[]): Key[] {
  const found = new Map<string, { row: KeyRow; backingRows: BackingKeyRow[] }>()
  for (const row of rows) {
    const entry = found.get(row.key_id) ?? { row, backingRows: [] }
    found.set(row.key_id, entry)
    const { backing_id: id, backing_number: number, backing_suite: suite } = row
    const { backing_material_id: material_id, backing_created_ms: created_ms } = row
    // What a left join leaves open, the table does not: all of them or none is null.
    if (id === null || number === null || suite === null) continue
    if (material_id === null || created_ms === null) continue
    entry.backingRows.push({
      id,
      key_id: row.key_id,
      number,
      suite,
      material_id,
      created_ms,
      rotation_type: row.backing_rotation_type,
      public_key: row.backing_public_key,
      present: row.backing_present,
      valid_to_ms: row.backing_valid_to_ms,
      description: row.backing_description,
      pending_rotation: row.backing_pending_rotation ?? 0,
    })
  }
  return [...found.values()].map(({ row, backingRows }) => keyOf(row, backingRows))
}

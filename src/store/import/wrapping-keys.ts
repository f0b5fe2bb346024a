/** The wrapping keys of a database. */

import type { Kysely } from 'kysely'
import {
  WRAPPING_ALGORITHMS,
  WRAPPING_KEY_BITS,
  type WrappingAlgorithm,
  type WrappingKeySpec,
} from '../../model/import/wrapping.ts'
import type { Tables, WrappingKeyRow } from '../rows.ts'
import type { ImportStore, WrappingKey } from './store.ts'

/** The part of the import store that holds wrapping keys. */
export function wrappingKeyStore(
  db: Kysely<Tables>,
): Pick<
  ImportStore,
  | 'addWrappingKey'
  | 'findWrappingKey'
  | 'countFailure'
  | 'spentWrappingKeys'
  | 'wrappingKeyDestroyed'
  | 'forgetWrappingKeys'
> {
  return {
    addWrappingKey(wrappingKey, most) {
      return db.transaction().execute(async (transaction) => {
        const { keyId, createdMs } = wrappingKey
        if ((await countOf(transaction, keyId, createdMs)) >= most) return 'full'
        await transaction.insertInto('wrapping_keys').values(rowOf(wrappingKey)).execute()
        return 'added'
      })
    },

    async findWrappingKey(id) {
      const row = await db
        .selectFrom('wrapping_keys')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirst()
      return row && wrappingKeyOf(row)
    },

    async countFailure(wrappingKeyId) {
      await db
        .updateTable('wrapping_keys')
        .set(({ eb }) => ({ failures: eb('failures', '+', 1) }))
        .where('id', '=', wrappingKeyId)
        .execute()
    },

    async spentWrappingKeys(nowMs, failuresMax, limit) {
      const rows = await db
        .selectFrom('wrapping_keys')
        .select('id')
        .where('destroyed_ms', 'is', null)
        .where(({ or, eb }) =>
          or([
            eb('valid_to_ms', '<=', nowMs),
            eb('used_ms', 'is not', null),
            eb('failures', '>=', failuresMax),
          ]),
        )
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('intents')
                .select('intent_id')
                .whereRef('intents.wrapping_key_id', '=', 'wrapping_keys.id'),
            ),
          ),
        )
        .orderBy('valid_to_ms')
        .limit(limit)
        .execute()
      return rows.map(({ id }) => id)
    },

    async wrappingKeyDestroyed(id, nowMs) {
      await db
        .updateTable('wrapping_keys')
        .set({ destroyed_ms: nowMs })
        .where('id', '=', id)
        .execute()
    },

    async forgetWrappingKeys(beforeMs) {
      await db
        .deleteFrom('wrapping_keys')
        .where('destroyed_ms', 'is not', null)
        .where('valid_to_ms', '<', beforeMs)
        .execute()
    },
  }
}

async function countOf(db: Kysely<Tables>, keyId: string, nowMs: number): Promise<number> {
  const { count } = await db
    .selectFrom('wrapping_keys')
    .where('key_id', '=', keyId)
    .where('destroyed_ms', 'is', null)
    .where('used_ms', 'is', null)
    .where('valid_to_ms', '>', nowMs)
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return Number(count)
}

function rowOf(wrappingKey: Parameters<ImportStore['addWrappingKey']>[0]): WrappingKeyRow {
  return {
    id: wrappingKey.id,
    key_id: wrappingKey.keyId,
    algorithm: wrappingKey.algorithm,
    spec: wrappingKey.spec,
    token_digest: wrappingKey.tokenDigest,
    created_ms: wrappingKey.createdMs,
    valid_to_ms: wrappingKey.validToMs,
    failures: 0,
    used_ms: null,
    destroyed_ms: null,
  }
}

/** @throws Error naming the row, if it cannot be a wrapping key. */
function wrappingKeyOf(row: WrappingKeyRow): WrappingKey {
  if (!Object.hasOwn(WRAPPING_ALGORITHMS, row.algorithm)) refuse(row, 'algorithm')
  if (!Object.hasOwn(WRAPPING_KEY_BITS, row.spec)) refuse(row, 'spec')
  if (!/^[0-9a-f]{64}$/.test(row.token_digest)) refuse(row, 'token_digest')
  return {
    id: row.id,
    keyId: row.key_id,
    algorithm: row.algorithm as WrappingAlgorithm,
    spec: row.spec as WrappingKeySpec,
    tokenDigest: row.token_digest,
    createdMs: row.created_ms,
    validToMs: row.valid_to_ms,
    failures: row.failures,
    isUsed: row.used_ms !== null,
    isDestroyed: row.destroyed_ms !== null,
  }
}

function refuse({ id }: WrappingKeyRow, column: string): never {
  throw new Error(`the store holds a wrong row, wrapping key ${id}: ${column} cannot be right`)
}

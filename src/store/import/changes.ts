/** What an import changes in the rows of its key, once its object is proved. */

import type { Kysely } from 'kysely'
import type { Key } from '../../model/key.ts'
import type { Intent } from '../intent.ts'
import { readKey } from '../keys.ts'
import { backingKeyRow, type Tables } from '../rows.ts'

/**
 * Makes the material of an import what its intent says, and its wrapping key used.
 *
 * @returns the key: Enabled if it was PendingImport and has all its material now.
 */
export async function finishImport(
  transaction: Kysely<Tables>,
  { keyId, backingKey, wrappingKeyId }: Intent & { kind: 'import' },
  { nowMs, publicKey }: { readonly nowMs: number; readonly publicKey?: Buffer },
): Promise<Key> {
  const row = backingKeyRow(keyId, { ...backingKey, publicKey, createdMs: nowMs })
  const { present, valid_to_ms, description } = row
  const { numUpdatedRows } = await transaction
    .updateTable('backing_keys')
    .set({ present, valid_to_ms, description })
    .where('id', '=', backingKey.id)
    .executeTakeFirstOrThrow()
  if (numUpdatedRows === 0n) {
    // All but the first of a key wait for RotateKeyOnDemand.
    const pending_rotation = Number(backingKey.number > 1)
    await transaction
      .insertInto('backing_keys')
      .values({ ...row, pending_rotation })
      .execute()
  }
  await useWrappingKey(transaction, wrappingKeyId, nowMs)
  await enableIfWhole(transaction, keyId)
  const key = await readKey(transaction, keyId)
  if (key === undefined) throw new Error(`an import was for no key ${keyId}`)
  return key
}

/**
 * Uses a wrapping key up.
 *
 * @returns false if it is used, or gone.
 */
export async function useWrappingKey(
  transaction: Kysely<Tables>,
  wrappingKeyId: string,
  nowMs: number,
): Promise<boolean> {
  const { numUpdatedRows } = await transaction
    .updateTable('wrapping_keys')
    .set({ used_ms: nowMs })
    .where('id', '=', wrappingKeyId)
    .where('used_ms', 'is', null)
    .executeTakeFirstOrThrow()
  return numUpdatedRows > 0n
}

/** A key that waits for its import is Enabled once all of its material is there. */
async function enableIfWhole(transaction: Kysely<Tables>, keyId: string): Promise<void> {
  await transaction
    .updateTable('keys')
    .set({ state: 'Enabled' })
    .where('key_id', '=', keyId)
    .where('state', '=', 'PendingImport')
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('backing_keys')
            .select('id')
            .where('key_id', '=', keyId)
            .where('present', '=', 0),
        ),
      ),
    )
    .execute()
}

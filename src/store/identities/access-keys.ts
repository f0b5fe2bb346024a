/** The access keys. */

import type { Kysely } from 'kysely'
import type { HotCopies } from '../copies/hot-copies.ts'
import type { Tables } from '../rows.ts'
import { accessKeyOf } from './rows.ts'
import type { AccessKeyStore, AccessKeysOf } from './store.ts'

/** The access keys of a database. */
export function accessKeyStore(db: Kysely<Tables>, hot: HotCopies): AccessKeyStore {
  const { accessKeys } = hot.identities
  return {
    async find(accessKeyId) {
      hot.refresh()
      const known = accessKeys.find(accessKeyId)
      if (known !== undefined) return known
      const { epoch } = accessKeys
      const row = await db
        .selectFrom('access_keys')
        .selectAll()
        .where('access_key_id', '=', accessKeyId)
        .executeTakeFirst()
      if (row === undefined) return undefined
      const key = accessKeyOf(row)
      accessKeys.put(accessKeyId, key, epoch)
      return key
    },

    async list(of, { after = '', limit }) {
      const rows = await ownedBy(db, of)
        .selectAll()
        .where('access_key_id', '>', after)
        .orderBy('access_key_id')
        .limit(limit)
        .execute()
      return rows.map(accessKeyOf)
    },

    insert: (key, most) =>
      db.transaction().execute(async (transaction) => {
        if (!(await ownerIsThere(transaction, key))) return 'gone'
        const owned = await ownedBy(transaction, key).select('access_key_id').execute()
        if (owned.length >= most) return 'full'
        const { numInsertedOrUpdatedRows = 0n } = await transaction
          .insertInto('access_keys')
          .values({
            access_key_id: key.accessKeyId,
            account: key.account,
            principal_id: key.principalId ?? null,
            sealed_secret: key.sealedSecret,
            status: key.status,
            created_ms: key.createdMs,
          })
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirstOrThrow()
        return numInsertedOrUpdatedRows === 0n ? 'exists' : 'inserted'
      }),

    async setStatus({ account, principalId }, accessKeyId, status) {
      const { numUpdatedRows } = await db
        .updateTable('access_keys')
        .set({ status })
        .where('access_key_id', '=', accessKeyId)
        .where('account', '=', account)
        .where('principal_id', 'is', principalId ?? null)
        .executeTakeFirstOrThrow()
      accessKeys.drop(accessKeyId)
      return numUpdatedRows > 0n
    },

    async remove({ account, principalId }, accessKeyId) {
      const { numDeletedRows } = await db
        .deleteFrom('access_keys')
        .where('access_key_id', '=', accessKeyId)
        .where('account', '=', account)
        .where('principal_id', 'is', principalId ?? null)
        .executeTakeFirstOrThrow()
      accessKeys.drop(accessKeyId)
      return numDeletedRows > 0n
    },
  }
}

function ownedBy(db: Kysely<Tables>, { account, principalId }: AccessKeysOf) {
  return db
    .selectFrom('access_keys')
    .where('account', '=', account)
    .where('principal_id', 'is', principalId ?? null)
}

async function ownerIsThere(db: Kysely<Tables>, of: AccessKeysOf): Promise<boolean> {
  const { account, principalId } = of
  if (principalId === undefined) {
    const found = await db
      .selectFrom('accounts')
      .select('account')
      .where('account', '=', account)
      .executeTakeFirst()
    return found !== undefined
  }
  const found = await db
    .selectFrom('principals')
    .select('principal_id')
    .where('principal_id', '=', principalId)
    .where('account', '=', account)
    .executeTakeFirst()
  return found !== undefined
}

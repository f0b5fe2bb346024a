/** The aliases. */

import type { Kysely } from 'kysely'
import type { Place } from '../model/arn.ts'
import { fail } from '../model/failures.ts'
import type { HotCopies } from './copies/hot-copies.ts'
import { keyIsThere } from './keys.ts'
import { aliasOf, type Tables } from './rows.ts'
import type { AliasStore } from './store.ts'

/** The aliases of a database. */
export function aliasStore(db: Kysely<Tables>, copies: HotCopies): AliasStore {
  return {
    async find(place, name) {
      copies.refresh()
      const copyName = nameOfCopy(place, name)
      const known = copies.aliases.find(copyName)
      if (known !== undefined) return known
      const { epoch } = copies.aliases
      const row = await db
        .selectFrom('aliases')
        .selectAll()
        .where('account', '=', place.account)
        .where('region', '=', place.region)
        .where('name', '=', name)
        .executeTakeFirst()
      if (row === undefined) return undefined
      const alias = aliasOf(row)
      copies.aliases.put(copyName, alias, epoch)
      return alias
    },

    async list({ account, region, keyId }, { after = '', limit }) {
      const rows = await db
        .selectFrom('aliases')
        .selectAll()
        .where('account', '=', account)
        .where('region', '=', region)
        .where('name', '>', after)
        .$if(keyId !== undefined, (all) => all.where('target_key_id', '=', keyId ?? ''))
        .orderBy('name')
        .limit(limit)
        .execute()
      return rows.map(aliasOf)
    },

    async insert(alias, most) {
      const outcome = await db.transaction().execute(async (transaction) => {
        await refuseMissing(transaction, alias.targetKeyId)
        if (await isThere(transaction, alias, alias.name)) return 'exists'
        if ((await countOf(transaction, alias.targetKeyId)) >= most) return 'full'
        await transaction
          .insertInto('aliases')
          .values({
            account: alias.account,
            region: alias.region,
            name: alias.name,
            target_key_id: alias.targetKeyId,
            created_ms: alias.createdMs,
            updated_ms: alias.updatedMs,
          })
          .execute()
        return 'inserted'
      })
      if (outcome === 'inserted') copies.aliases.drop(nameOfCopy(alias, alias.name))
      return outcome
    },

    async retarget(place, name, { fromKeyId, toKeyId, nowMs, most }) {
      const outcome = await db.transaction().execute(async (transaction) => {
        await refuseMissing(transaction, toKeyId)
        const isNew = fromKeyId !== toKeyId
        if (isNew && (await countOf(transaction, toKeyId)) >= most) return 'full'
        const { numUpdatedRows } = await transaction
          .updateTable('aliases')
          .set({ target_key_id: toKeyId, updated_ms: nowMs })
          .where('account', '=', place.account)
          .where('region', '=', place.region)
          .where('name', '=', name)
          .where('target_key_id', '=', fromKeyId)
          .executeTakeFirstOrThrow()
        return numUpdatedRows > 0n ? 'moved' : 'gone'
      })
      if (outcome === 'moved') copies.aliases.drop(nameOfCopy(place, name))
      return outcome
    },

    async remove(place, name, targetKeyId) {
      const { numDeletedRows } = await db
        .deleteFrom('aliases')
        .where('account', '=', place.account)
        .where('region', '=', place.region)
        .where('name', '=', name)
        .where('target_key_id', '=', targetKeyId)
        .executeTakeFirstOrThrow()
      copies.aliases.drop(nameOfCopy(place, name))
      return numDeletedRows > 0n
    },
  }
}

async function isThere(db: Kysely<Tables>, place: Place, name: string): Promise<boolean> {
  const found = await db
    .selectFrom('aliases')
    .select('name')
    .where('account', '=', place.account)
    .where('region', '=', place.region)
    .where('name', '=', name)
    .executeTakeFirst()
  return found !== undefined
}

async function countOf(db: Kysely<Tables>, keyId: string): Promise<number> {
  const { count } = await db
    .selectFrom('aliases')
    .where('target_key_id', '=', keyId)
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return Number(count)
}

async function refuseMissing(db: Kysely<Tables>, keyId: string): Promise<void> {
  if (!(await keyIsThere(db, keyId))) fail('NotFoundException', `Key '${keyId}' does not exist`)
}

function nameOfCopy({ region, account }: Place, name: string): string {
  return `${account}/${region}/${name}`
}

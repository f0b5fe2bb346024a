/** The users and roles. */

import type { Kysely } from 'kysely'
import { foldedName, type Principal } from '../../model/identities/principal.ts'
import type { HotCopies } from '../copies/hot-copies.ts'
import type { Tables } from '../rows.ts'
import { principalKey } from './copies.ts'
import { type PrincipalRow, principalOf, principalRow } from './rows.ts'
import type { PrincipalStore, PrincipalsOf } from './store.ts'

/** The users and roles of a database. */
export function principalStore(db: Kysely<Tables>, hot: HotCopies): PrincipalStore {
  const { principals, names } = hot.identities

  async function find(principalId: string): Promise<Principal | undefined> {
    hot.refresh()
    const known = principals.find(principalId)
    if (known !== undefined) return known
    const { epoch } = principals
    const row = await rowOf(db, principalId)
    if (row === undefined) return undefined
    const principal = principalOf(row)
    principals.put(principalId, principal, epoch)
    return principal
  }

  return {
    known: (principalId) => principals.find(principalId),
    find,

    knownByName(of, name) {
      const principalId = names.find(principalKey(of, name))
      return principalId === undefined ? undefined : principals.find(principalId)
    },

    async named(of, name) {
      hot.refresh()
      const key = principalKey(of, name)
      const known = names.find(key)
      if (known !== undefined) return find(known)
      const { epoch } = names
      const row = await rowNamed(db, of, name)
      if (row === undefined) return undefined
      names.put(key, row.principal_id, epoch)
      return find(row.principal_id)
    },

    async list({ account, kind, pathPrefix = '/' }, { after = '', limit }) {
      const rows = await db
        .selectFrom('principals')
        .selectAll()
        .where('account', '=', account)
        .where('kind', '=', kind)
        .where('folded_name', '>', after)
        .where(
          ({ fn, val }) => fn('substr', ['path', val(1), val(pathPrefix.length)]),
          '=',
          pathPrefix,
        )
        .orderBy('folded_name')
        .limit(limit)
        .execute()
      return rows.map(principalOf)
    },

    insert: (principal, most) =>
      db.transaction().execute(async (transaction) => {
        if (await rowNamed(transaction, principal, principal.name)) return 'exists'
        if ((await countOf(transaction, principal)) >= most) return 'full'
        await transaction.insertInto('principals').values(principalRow(principal)).execute()
        return 'inserted'
      }),

    async change(principalId, edit) {
      const changed = await db.transaction().execute(async (transaction) => {
        const row = await rowOf(transaction, principalId)
        if (row === undefined) return undefined
        const edited = edit(principalOf(row))
        const { details } = principalRow(edited)
        await transaction
          .updateTable('principals')
          .set({ details })
          .where('principal_id', '=', principalId)
          .execute()
        return edited
      })
      principals.drop(principalId)
      return changed
    },

    async remove(principalId) {
      const outcome = await db.transaction().execute(async (transaction) => {
        const row = await rowOf(transaction, principalId)
        if (row === undefined) return 'gone'
        const key = await transaction
          .selectFrom('access_keys')
          .select('access_key_id')
          .where('principal_id', '=', principalId)
          .executeTakeFirst()
        if (key !== undefined || principalOf(row).policies.length > 0) return 'in use'
        await transaction.deleteFrom('principals').where('principal_id', '=', principalId).execute()
        return 'removed'
      })
      // Few names are in these copies, and the next call of each brings it back.
      names.clear()
      principals.drop(principalId)
      return outcome
    },
  }
}

async function rowOf(db: Kysely<Tables>, principalId: string): Promise<PrincipalRow | undefined> {
  return db
    .selectFrom('principals')
    .selectAll()
    .where('principal_id', '=', principalId)
    .executeTakeFirst()
}

async function rowNamed(
  db: Kysely<Tables>,
  { account, kind }: PrincipalsOf,
  name: string,
): Promise<PrincipalRow | undefined> {
  return db
    .selectFrom('principals')
    .selectAll()
    .where('account', '=', account)
    .where('kind', '=', kind)
    .where('folded_name', '=', foldedName(name))
    .executeTakeFirst()
}

async function countOf(db: Kysely<Tables>, { account, kind }: PrincipalsOf): Promise<number> {
  const { count } = await db
    .selectFrom('principals')
    .where('account', '=', account)
    .where('kind', '=', kind)
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** The identity providers that roles of an account may trust. */

import type { Kysely } from 'kysely'
import { providerArn } from '../../model/identities/principal.ts'
import type { HotCopies } from '../copies/hot-copies.ts'
import type { Tables } from '../rows.ts'
import { type ProviderRow, providerOf, providerRow } from './rows.ts'
import type { ProviderStore } from './store.ts'

/** As long as any account: ARNs differ in nothing else before the issuer. */
const NO_ACCOUNT = '000000000000'

/** The identity providers of a database. */
export function providerStore(db: Kysely<Tables>, hot: HotCopies): ProviderStore {
  const { providers } = hot.identities
  return {
    async find(arn) {
      hot.refresh()
      const known = providers.find(arn)
      if (known !== undefined) return known
      const { epoch } = providers
      const row = await rowOf(db, arn)
      if (row === undefined) return undefined
      const provider = providerOf(row)
      providers.put(arn, provider, epoch)
      return provider
    },

    async list(account, { after = '', limit }) {
      const rows = await db
        .selectFrom('identity_providers')
        .selectAll()
        .where('account', '=', account)
        .where('arn', '>', after)
        .orderBy('arn')
        .limit(limit)
        .execute()
      return rows.map(providerOf)
    },

    async ofIssuer(issuer) {
      const begin = providerArn(NO_ACCOUNT, '').length
      const name = providerArn(NO_ACCOUNT, issuer).slice(begin)
      const rows = await db
        .selectFrom('identity_providers')
        .selectAll()
        .where(({ fn, val }) => fn('substr', ['arn', val(begin + 1)]), '=', name)
        .execute()
      return rows.map(providerOf).filter((provider) => provider.issuer === issuer)
    },

    async any() {
      const row = await db.selectFrom('identity_providers').select('arn').executeTakeFirst()
      return row !== undefined
    },

    insert: (provider, most) =>
      db.transaction().execute(async (transaction) => {
        if (await rowOf(transaction, provider.arn)) return 'exists'
        const held = await transaction
          .selectFrom('identity_providers')
          .select('arn')
          .where('account', '=', provider.account)
          .limit(most)
          .execute()
        if (held.length >= most) return 'full'
        await transaction.insertInto('identity_providers').values(providerRow(provider)).execute()
        return 'inserted'
      }),

    async change(arn, edit) {
      const changed = await db.transaction().execute(async (transaction) => {
        const row = await rowOf(transaction, arn)
        if (row === undefined) return undefined
        const edited = edit(providerOf(row))
        const { details } = providerRow(edited)
        await transaction
          .updateTable('identity_providers')
          .set({ details })
          .where('arn', '=', arn)
          .execute()
        return edited
      })
      providers.drop(arn)
      return changed
    },

    async remove(arn) {
      const { numDeletedRows } = await db
        .deleteFrom('identity_providers')
        .where('arn', '=', arn)
        .executeTakeFirstOrThrow()
      providers.drop(arn)
      return numDeletedRows > 0n
    },
  }
}

async function rowOf(db: Kysely<Tables>, arn: string): Promise<ProviderRow | undefined> {
  return db.selectFrom('identity_providers').selectAll().where('arn', '=', arn).executeTakeFirst()
}

/** The accounts and who is in them. */

import type { Kysely } from 'kysely'
import { parsePrincipalArn } from '../../model/identities/principal.ts'
import type { HotCopies } from '../copies/hot-copies.ts'
import type { Tables } from '../rows.ts'
import { accessKeyStore } from './access-keys.ts'
import { principalStore } from './principals.ts'
import { providerStore } from './providers.ts'
import { accountOf } from './rows.ts'
import type { AccountStore, IdentityStore } from './store.ts'

/** The accounts of a database and who is in them. */
export function identityStore(db: Kysely<Tables>, hot: HotCopies): IdentityStore {
  const accounts = accountStore(db, hot)
  const principals = principalStore(db, hot)
  return {
    accounts,
    principals,
    accessKeys: accessKeyStore(db, hot),
    providers: providerStore(db, hot),

    async find(arn) {
      const named = parsePrincipalArn(arn)
      if (named === undefined) return undefined
      const { account } = named
      if (named.kind === 'root') {
        return (await accounts.find(account)) && { principalId: account }
      }
      if (named.kind === 'session') return principals.named({ account, kind: 'role' }, named.role)
      const found = await principals.named({ account, kind: named.kind }, named.name)
      // Exactly as written: a policy's ARN is compared by case and path.
      return found?.arn === arn ? { principalId: found.principalId } : undefined
    },
  }
}

function accountStore(db: Kysely<Tables>, hot: HotCopies): AccountStore {
  const { accounts } = hot.identities
  return {
    known: (account) => accounts.find(account),

    async find(account) {
      hot.refresh()
      const known = accounts.find(account)
      if (known !== undefined) return known
      const { epoch } = accounts
      const row = await db
        .selectFrom('accounts')
        .selectAll()
        .where('account', '=', account)
        .executeTakeFirst()
      if (row === undefined) return undefined
      accounts.put(account, accountOf(row), epoch)
      return accountOf(row)
    },

    async list({ after = '', limit }) {
      const rows = await db
        .selectFrom('accounts')
        .selectAll()
        .where('account', '>', after)
        .orderBy('account')
        .limit(limit)
        .execute()
      return rows.map(accountOf)
    },

    async insert({ account, name, createdMs }) {
      const { numInsertedOrUpdatedRows = 0n } = await db
        .insertInto('accounts')
        .values({ account, name, created_ms: createdMs })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirstOrThrow()
      return numInsertedOrUpdatedRows > 0n
    },
  }
}

/** The copies in memory of accounts and who is in them. */

import type { AccessKey, Account, IdentityProvider } from '../../model/identities/account.ts'
import { foldedName, type Principal } from '../../model/identities/principal.ts'
import { Copies } from '../copies/copies.ts'
import type { PrincipalsOf } from './store.ts'

/** How many of each are held at least before one is let go. */
const HELD = 20_000

/** The copies. */
export interface IdentityCopies {
  readonly accounts: Copies<Account>
  /** By unique id. */
  readonly principals: Copies<Principal>
  /** Unique ids by `principalKey`. */
  readonly names: Copies<string>
  readonly accessKeys: Copies<AccessKey>
  /** By ARN. */
  readonly providers: Copies<IdentityProvider>
  /** Drops everything. */
  clear(): void
}

/** Makes the copies. */
export function identityCopies(): IdentityCopies {
  const copies = {
    accounts: new Copies<Account>(HELD),
    principals: new Copies<Principal>(HELD),
    names: new Copies<string>(HELD),
    accessKeys: new Copies<AccessKey>(HELD),
    providers: new Copies<IdentityProvider>(HELD),
  }
  return {
    ...copies,
    clear() {
      for (const each of Object.values(copies)) each.clear()
    },
  }
}

/** What a principal's name is copied under. */
export function principalKey({ account, kind }: PrincipalsOf, name: string): string {
  return `${account}/${kind}/${foldedName(name)}`
}

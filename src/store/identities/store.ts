/**
 * The accounts and who is in them, as the other rooms see them. Reads of single ones come from
 * copies in memory, which every change invalidates before it is acknowledged.
 */

import type { AccessKey, Account, IdentityProvider } from '../../model/identities/account.ts'
import type { Principal, PrincipalKind } from '../../model/identities/principal.ts'
import type { PageRequest } from '../page.ts'

/** The accounts. */
export interface AccountStore {
  /** The copy in memory, if there is one, as new as the store's last `refresh`. */
  known(account: string): Account | undefined
  find(account: string): Promise<Account | undefined>
  /** By number. */
  list(page: PageRequest): Promise<readonly Account[]>
  /** @returns false if there is one of this number already. */
  insert(account: Account): Promise<boolean>
}

/** Whose users or roles. */
export interface PrincipalsOf {
  readonly account: string
  readonly kind: PrincipalKind
}

/** The users and roles. */
export interface PrincipalStore {
  /** The copy in memory, if there is one, as new as the store's last `refresh`. */
  known(principalId: string): Principal | undefined
  /** The same of the one of this name, whatever its case. */
  knownByName(of: PrincipalsOf, name: string): Principal | undefined
  find(principalId: string): Promise<Principal | undefined>
  /** The one of this name, whatever its case. */
  named(of: PrincipalsOf, name: string): Promise<Principal | undefined>
  /** By folded name; those whose path begins so. */
  list(
    of: PrincipalsOf & { readonly pathPrefix?: string },
    page: PageRequest,
  ): Promise<readonly Principal[]>
  /**
   * @param most how many of its kind the account may have.
   * @returns `exists` if there is one of this name, `full` if the account has `most`.
   */
  insert(principal: Principal, most: number): Promise<'inserted' | 'exists' | 'full'>
  /**
   * Changes a principal by what `edit` makes of it as it is at that moment. `edit` may refuse by
   * throwing; ids, names and paths do not change.
   *
   * @returns the principal as changed, or `undefined` if it is gone.
   */
  change(
    principalId: string,
    edit: (principal: Principal) => Principal,
  ): Promise<Principal | undefined>
  /** @returns `in use` if it has access keys or policies, which have to go first. */
  remove(principalId: string): Promise<'removed' | 'gone' | 'in use'>
}

/** Whose access keys: those of a user, or of the root if there is no principal. */
export interface AccessKeysOf {
  readonly account: string
  readonly principalId?: string
}

/** The access keys. */
export interface AccessKeyStore {
  find(accessKeyId: string): Promise<AccessKey | undefined>
  /** By id. */
  list(of: AccessKeysOf, page: PageRequest): Promise<readonly AccessKey[]>
  /**
   * @param most how many its owner may have.
   * @returns `exists` if there is one of this id, `gone` if its owner is.
   */
  insert(key: AccessKey, most: number): Promise<'inserted' | 'exists' | 'full' | 'gone'>
  /** @returns false if the owner has none of this id. */
  setStatus(of: AccessKeysOf, accessKeyId: string, status: AccessKey['status']): Promise<boolean>
  /** @returns false if the owner has none of this id. */
  remove(of: AccessKeysOf, accessKeyId: string): Promise<boolean>
}

/** The identity providers. */
export interface ProviderStore {
  find(arn: string): Promise<IdentityProvider | undefined>
  /** By ARN. */
  list(account: string, page: PageRequest): Promise<readonly IdentityProvider[]>
  /** Those of an issuer, in whatever accounts. */
  ofIssuer(issuer: string): Promise<readonly IdentityProvider[]>
  /** Whether any account has one. */
  any(): Promise<boolean>
  insert(provider: IdentityProvider, most: number): Promise<'inserted' | 'exists' | 'full'>
  /** @returns the provider as changed, or `undefined` if there is none. */
  change(
    arn: string,
    edit: (provider: IdentityProvider) => IdentityProvider,
  ): Promise<IdentityProvider | undefined>
  /** @returns false if there is none. */
  remove(arn: string): Promise<boolean>
}

/** The accounts and who is in them. */
export interface IdentityStore {
  readonly accounts: AccountStore
  readonly principals: PrincipalStore
  readonly accessKeys: AccessKeyStore
  readonly providers: ProviderStore
  /**
   * The unique id of the root, user or role that an ARN names, its path included, or of the role
   * of the session that it names: to bind an ARN in a policy to whom it means now.
   */
  find(arn: string): Promise<{ readonly principalId: string } | undefined>
}

/** The rows of accounts and who is in them, checked when they are read. */

import type { AccessKey, Account, IdentityProvider } from '../../model/identities/account.ts'
import {
  foldedName,
  type Principal,
  type PrincipalKind,
  principalArn,
} from '../../model/identities/principal.ts'

/** The tables; the migration says what the columns hold. */
export interface IdentityTables {
  accounts: AccountRow
  principals: PrincipalRow
  access_keys: AccessKeyRow
  identity_providers: ProviderRow
}

/** A row of `accounts`. */
export interface AccountRow {
  account: string
  name: string
  created_ms: number
}

/** A row of `principals`. */
export interface PrincipalRow {
  principal_id: string
  account: string
  kind: string
  name: string
  folded_name: string
  path: string
  created_ms: number
  details: string
}

/** A row of `access_keys`. */
export interface AccessKeyRow {
  access_key_id: string
  account: string
  principal_id: string | null
  sealed_secret: string
  status: string
  created_ms: number
}

/** A row of `identity_providers`. */
export interface ProviderRow {
  arn: string
  account: string
  created_ms: number
  details: string
}

/** What a principal has beside its names. Maps are lists of pairs, which lose no key. */
interface PrincipalDetails {
  readonly description: string
  readonly tags: readonly (readonly [string, string])[]
  readonly policies: Principal['policies']
  readonly boundary?: string
  readonly trust?: {
    readonly text: string
    readonly principalIds: readonly (readonly [string, string])[]
  }
  readonly sessionSecondsMax?: number
}

type ProviderDetails = Pick<
  IdentityProvider,
  'issuer' | 'audiences' | 'jwks' | 'defaultRoleArn'
> & { readonly sessionTags: readonly (readonly [string, string])[] }

/** An account from its row. */
export function accountOf({ account, name, created_ms: createdMs }: AccountRow): Account {
  return { account, name, createdMs }
}

/** @throws Error naming the row, if it cannot be a principal. */
export function principalOf(row: PrincipalRow): Principal {
  const { account, name, path } = row
  const kind = kindOf(row)
  const details = detailsOf<PrincipalDetails>(`principal ${row.principal_id}`, row.details)
  const { trust } = details
  return Object.freeze({
    principalId: row.principal_id,
    account,
    kind,
    name,
    path,
    arn: principalArn(kind, { account, path, name }),
    description: details.description,
    tags: new Map(details.tags),
    policies: details.policies,
    boundary: details.boundary,
    trust: trust && { text: trust.text, principalIds: new Map(trust.principalIds) },
    sessionSecondsMax: details.sessionSecondsMax,
    createdMs: row.created_ms,
  })
}

/** The row of a principal. */
export function principalRow(principal: Principal): PrincipalRow {
  const { trust, description, policies, boundary, sessionSecondsMax } = principal
  const details: PrincipalDetails = {
    description,
    tags: [...principal.tags],
    policies,
    boundary,
    trust: trust && { text: trust.text, principalIds: [...trust.principalIds] },
    sessionSecondsMax,
  }
  return {
    principal_id: principal.principalId,
    account: principal.account,
    kind: principal.kind,
    name: principal.name,
    folded_name: foldedName(principal.name),
    path: principal.path,
    created_ms: principal.createdMs,
    details: JSON.stringify(details),
  }
}

/** @throws Error naming the row, if it cannot be an access key. */
export function accessKeyOf(row: AccessKeyRow): AccessKey {
  const { status, principal_id: principalId } = row
  if (status !== 'Active' && status !== 'Inactive') {
    throw new Error(`the store holds a wrong row, access key ${row.access_key_id}: ${status}`)
  }
  return Object.freeze({
    accessKeyId: row.access_key_id,
    account: row.account,
    principalId: principalId ?? undefined,
    sealedSecret: row.sealed_secret,
    status,
    createdMs: row.created_ms,
  })
}

/** @throws Error naming the row, if it cannot be a provider. */
export function providerOf(row: ProviderRow): IdentityProvider {
  const { arn, account, created_ms: createdMs } = row
  const details = detailsOf<ProviderDetails>(`identity provider ${arn}`, row.details)
  const sessionTags = new Map(details.sessionTags)
  return Object.freeze({ ...details, sessionTags, arn, account, createdMs })
}

/** The row of a provider. */
export function providerRow(provider: IdentityProvider): ProviderRow {
  const { arn, account, createdMs, issuer, audiences, jwks, defaultRoleArn } = provider
  const sessionTags = [...provider.sessionTags]
  const details: ProviderDetails = { issuer, audiences, jwks, defaultRoleArn, sessionTags }
  return { arn, account, created_ms: createdMs, details: JSON.stringify(details) }
}

function kindOf({ kind, principal_id: id }: PrincipalRow): PrincipalKind {
  if (kind === 'user' || kind === 'role') return kind
  throw new Error(`the store holds a wrong row, principal ${id}: its kind is ${kind}`)
}

function detailsOf<Details>(row: string, text: string): Details {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Error(`the store holds a wrong row, ${row}: its details are not JSON`, { cause })
  }
}

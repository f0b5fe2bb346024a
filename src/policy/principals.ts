/**
 * Whom a `Principal` element names, and as what: a principal itself, the role of its session, or
 * its account, which may pass the permission on by policies of its own.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 */

import type { Caller } from '../model/caller.ts'
import type { PolicyRequest } from './request.ts'

/** ARNs as a policy has them, and the unique ids of those who bore them when it was put. */
export type PrincipalIds = ReadonlyMap<string, string>

/** The principals of an element. */
export interface Principals {
  /** `*`: everybody, services too. */
  readonly everybody: boolean
  /** Accounts, whether named by their numbers or by the ARNs of their roots. */
  readonly accounts: ReadonlySet<string>
  /** The ARNs of users, roles and sessions. */
  readonly arns: ReadonlySet<string>
  /** Unique ids: so a principal is named that is gone. */
  readonly uniqueIds: ReadonlySet<string>
  readonly services: ReadonlySet<string>
  /** Identity providers. */
  readonly providers: ReadonlySet<string>
}

/**
 * As what a caller is named. The order matters: what is given to `self` nothing limits, what is
 * given to `role` boundaries and session policies limit, and to `account` identity policies too.
 */
export const STANDING = { none: 0, account: 1, role: 2, self: 3 } as const

/** As what a caller is named. */
export type Standing = (typeof STANDING)[keyof typeof STANDING]

/** The members of a `Principal` element. */
export type PrincipalKind = 'AWS' | 'Service' | 'Federated'

const ACCOUNT = /^[0-9]{12}$/
const ROOT = /^arn:aws:iam::([0-9]{12}):root$/
const IDENTITY = /^arn:aws:iam::[0-9]{12}:(?:user|role)\/(?:[!-.0-~]+\/)*[\w+=,.@-]{1,128}$/
const SESSION =
  /^arn:aws:sts::[0-9]{12}:(?:assumed-role\/[\w+=,.@-]{1,64}|federated-user)\/[\w+=,.@-]{2,64}$/
const UNIQUE_ID = /^(?:AIDA|AROA)[A-Z0-9]{12,124}$/
const SERVICE = /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/
const PROVIDER = /^arn:aws:iam::[0-9]{12}:(?:oidc|saml)-provider\/[!-~]+$/

/** Reads the principals of an element; answers the one that can be none, if there is one. */
export function principalsOf(
  named: Iterable<readonly [PrincipalKind, string]>,
): Principals | { readonly wrong: string } {
  const accounts = new Set<string>()
  const arns = new Set<string>()
  const uniqueIds = new Set<string>()
  const services = new Set<string>()
  const providers = new Set<string>()
  let everybody = false
  for (const [kind, text] of named) {
    const account = kind === 'AWS' ? (ROOT.exec(text)?.[1] ?? ACCOUNT.exec(text)?.[0]) : undefined
    if (account !== undefined) accounts.add(account)
    else if (kind === 'AWS' && text === '*') everybody = true
    else if (kind === 'AWS' && (IDENTITY.test(text) || SESSION.test(text))) arns.add(text)
    else if (kind === 'AWS' && UNIQUE_ID.test(text)) uniqueIds.add(text)
    else if (kind === 'Service' && SERVICE.test(text)) services.add(text)
    else if (kind === 'Federated' && PROVIDER.test(text)) providers.add(text)
    else return { wrong: text }
  }
  return { everybody, accounts, arns, uniqueIds, services, providers }
}

/** As what the principals name the caller. */
export function standing(
  principals: Principals,
  { caller, provider }: PolicyRequest,
  ids: PrincipalIds,
): Standing {
  if (caller.kind === 'keyslot') return STANDING.none
  if (provider !== undefined) {
    return principals.providers.has(provider) ? STANDING.self : STANDING.none
  }
  if (principals.everybody) return STANDING.self
  if (caller.kind === 'service') {
    return principals.services.has(caller.arn) ? STANDING.self : STANDING.none
  }
  const hasAccount = principals.accounts.has(caller.account)
  if (caller.kind === 'root') return hasAccount ? STANDING.self : STANDING.none
  if (names(principals, caller.arn, caller, ids)) return STANDING.self
  const { roleArn } = caller
  const isRole = roleArn !== undefined && names(principals, roleArn, caller, ids)
  // Hardly a policy names any, and to go through none costs more than all the rest.
  if (principals.uniqueIds.size > 0 && isAnyOf(principals.uniqueIds, caller)) {
    return roleArn === undefined ? STANDING.self : STANDING.role
  }
  if (isRole) return STANDING.role
  return hasAccount ? STANDING.account : STANDING.none
}

/**
 * Whether a `NotPrincipal` element leaves the caller out: only if it names all that the caller is,
 * its account, its role and, where it names sessions of the role, the session.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
 */
export function isExcepted(
  principals: Principals,
  request: PolicyRequest,
  ids: PrincipalIds,
): boolean {
  const { caller, provider } = request
  const best = standing(principals, request, ids)
  const isOneName = provider !== undefined || caller.kind === 'service' || caller.kind === 'root'
  if (principals.everybody || isOneName) return best === STANDING.self
  if (!principals.accounts.has(caller.account)) return false
  const { roleArn } = caller
  if (roleArn === undefined) return best === STANDING.self
  const isRole = standing({ ...principals, arns: only(principals.arns, roleArn) }, request, ids)
  if (isRole !== STANDING.role) return false
  const sessions = caller.arn.slice(0, caller.arn.lastIndexOf('/') + 1)
  const hasSessions = [...principals.arns].some((arn) => arn.startsWith(sessions))
  return !hasSessions || names(principals, caller.arn, caller, ids)
}

function only(arns: ReadonlySet<string>, arn: string): ReadonlySet<string> {
  return new Set(arns.has(arn) ? [arn] : [])
}

function names(principals: Principals, arn: string, caller: Caller, ids: PrincipalIds): boolean {
  if (!principals.arns.has(arn)) return false
  const uniqueId = ids.get(arn)
  return uniqueId === undefined || isBearer(caller, uniqueId)
}

function isAnyOf(uniqueIds: ReadonlySet<string>, caller: Caller): boolean {
  for (const uniqueId of uniqueIds) if (isBearer(caller, uniqueId)) return true
  return false
}

/** Whether the caller is who bears a unique id: of a session, its role does. */
export function isBearer({ principalId }: Caller, uniqueId: string): boolean {
  if (principalId === undefined || !principalId.startsWith(uniqueId)) return false
  return principalId.length === uniqueId.length || principalId[uniqueId.length] === ':'
}

/**
 * Decides what a caller may do, from the key policy, identity policies and grants.
 *
 * A denial anywhere wins. What the resource's own policy or a grant gives to a principal, that
 * principal has; what they give to its account, its identity policies may pass on. Without such a
 * word for the account identity policies allow nothing, and deny all the same.
 * https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */

import type { Grant } from '../model/grant.ts'
import type { Policy } from './document.ts'
import { grantStanding } from './grants.ts'
import { type PrincipalIds, STANDING, type Standing } from './principals.ts'
import type { PolicyRequest } from './request.ts'
import { applies, type Statement } from './statements.ts'

/** A policy with its name. */
export interface NamedPolicy {
  readonly name: string
  readonly policy: Policy
}

/** A policy of a resource, and the unique ids to which the ARNs in it were bound. */
export interface ResourcePolicy {
  readonly policy: Policy
  readonly principalIds: PrincipalIds
}

/** All that speaks for or against a request. */
export interface Evidence {
  /**
   * The policy of the resource itself, a key's or the trust policy of a role. Absent for what
   * concerns no single resource that has one: then identity policies decide alone.
   */
  readonly resourcePolicy?: ResourcePolicy
  /** Those of the caller. */
  readonly identityPolicies: readonly NamedPolicy[]
  /** The permissions boundary of the user or role. */
  readonly boundary?: Policy
  readonly sessionPolicies: readonly Policy[]
  /** Grants on the key; those for other principals do no harm but take time. */
  readonly grants: readonly Grant[]
}

/** What decided. */
export interface DecidedBy {
  readonly source:
    | 'key-policy'
    | 'trust-policy'
    | 'identity-policy'
    | 'boundary'
    | 'session-policy'
    | 'grant'
    | 'account-root'
  /** The name of the identity policy, or the id of the grant. */
  readonly name?: string
  /** The statement's Sid, or its number from 0 if it has none. */
  readonly statement?: string | number
}

/** A decision. */
export interface Decision {
  readonly allowed: boolean
  readonly reason: 'allow' | 'explicit-deny' | 'implicit-deny'
  /** What allowed or denied it; of an implicit denial the limit that stood in the way, if one did. */
  readonly by?: DecidedBy
}

/** Decides; pure. */
export function evaluate(request: PolicyRequest, evidence: Evidence): Decision {
  if (request.caller.kind === 'keyslot') return NOTHING_ALLOWS
  const asked: Asked = { request, evidence }
  const denial = findDenial(asked)
  if (denial) return { allowed: false, reason: 'explicit-deny', by: denial }
  const { resourcePolicy } = evidence
  const gift = resourcePolicy ? findGift(asked, resourcePolicy) : giftOfAccount(request)
  if (!gift) return NOTHING_ALLOWS
  if (gift.needs === NEEDS.nothing) return allowed(gift.by)
  let { by } = gift
  if (gift.needs === NEEDS.identity) {
    const identity = findIdentity(asked)
    if (!identity) return NOTHING_ALLOWS
    // Away from home the key's owner asks who let the stranger in; at home which policy it was.
    if (isAtHome(request)) by = identity
  }
  return findLimit(asked) ?? allowed(by)
}

interface Asked {
  readonly request: PolicyRequest
  readonly evidence: Evidence
}

/** What a gift needs beside itself, less first. */
const NEEDS = { nothing: 0, limits: 1, identity: 2 } as const

/** A permission from the side of the resource. */
interface Gift {
  readonly by: DecidedBy
  /** `limits`: the boundary and session policies have to allow it; `identity`: they and a policy. */
  readonly needs: (typeof NEEDS)[keyof typeof NEEDS]
}

const NOTHING_ALLOWS: Decision = { allowed: false, reason: 'implicit-deny' }

function allowed(by: DecidedBy): Decision {
  return { allowed: true, reason: 'allow', by }
}

function isAtHome({ caller, resource }: PolicyRequest): boolean {
  return caller.account === resource.account
}

function findDenial({ request, evidence }: Asked): DecidedBy | undefined {
  const { resourcePolicy, identityPolicies, boundary, sessionPolicies } = evidence
  if (resourcePolicy) {
    const { policy, principalIds: ids } = resourcePolicy
    for (const statement of policy.on(request.action).denials) {
      if (applies(statement, request, ids, boundary !== undefined)) return said(policy, statement)
    }
  }
  for (const { name, policy } of identityPolicies) {
    for (const statement of policy.on(request.action).denials) {
      if (applies(statement, request)) return said(policy, statement, name)
    }
  }
  for (const policy of boundary ? [boundary, ...sessionPolicies] : sessionPolicies) {
    for (const statement of policy.on(request.action).denials) {
      if (applies(statement, request)) return said(policy, statement)
    }
  }
  return undefined
}

/** The gift that needs least, from the policy of the resource or from a grant. */
function findGift(asked: Asked, resourcePolicy: ResourcePolicy): Gift | undefined {
  const given = giftOfPolicy(asked, resourcePolicy)
  if (given?.needs === NEEDS.nothing) return given
  const granted = giftOfGrants(asked)
  if (!given || !granted) return given ?? granted
  return granted.needs < given.needs ? granted : given
}

function giftOfPolicy(
  { request }: Asked,
  { policy, principalIds: ids }: ResourcePolicy,
): Gift | undefined {
  let best: Standing = STANDING.none
  let by: Statement | undefined
  for (const statement of policy.on(request.action).allowances) {
    const standing = applies(statement, request, ids)
    if (standing <= best) continue
    best = standing
    by = statement
    if (standing === STANDING.self) break
  }
  return by && { by: said(policy, by), needs: needsOf(best, request) }
}

function giftOfGrants({ request, evidence }: Asked): Gift | undefined {
  let best: Standing = STANDING.none
  let by: Grant | undefined
  for (const grant of evidence.grants) {
    const standing = grantStanding(grant, request)
    if (standing <= best) continue
    best = standing
    by = grant
    if (standing === STANDING.self) break
  }
  if (!by) return undefined
  // To give a grant up takes no leave of anybody: the grant alone says who may.
  const isGivingUp = request.action === 'kms:RetireGrant' && best !== STANDING.account
  const needs = isGivingUp && !isAtHome(request) ? NEEDS.limits : needsOf(best, request)
  return { by: { source: 'grant', name: by.grantId }, needs }
}

/** What concerns no single resource, an account gives its own identities: to its root at once. */
function giftOfAccount(request: PolicyRequest): Gift | undefined {
  if (!isAtHome(request)) return undefined
  const by: DecidedBy = { source: 'account-root' }
  if (request.caller.kind === 'root') return { by, needs: NEEDS.limits }
  return hasIdentityPolicies(request) ? { by, needs: NEEDS.identity } : undefined
}

/**
 * What is given directly to a user or session of the same account, nothing but a denial takes
 * away; what is given to a role, its boundary and session policies limit. A principal of another
 * account needs its account's leave too, by an identity policy, whether it is a key policy or a
 * grant that lets it in: otherwise whoever owns a key could hand it to principals of accounts that
 * know nothing of it.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
 */
function needsOf(standing: Standing, request: PolicyRequest): Gift['needs'] {
  if (standing === STANDING.account) return NEEDS.identity
  if (isAtHome(request)) return standing === STANDING.self ? NEEDS.nothing : NEEDS.limits
  return hasIdentityPolicies(request) ? NEEDS.identity : NEEDS.limits
}

/** The root of an account may do all that is its account's to give; the others have no policies. */
function hasIdentityPolicies({ caller, provider }: PolicyRequest): boolean {
  return provider === undefined && (caller.kind === 'user' || caller.kind === 'role')
}

function findIdentity({ request, evidence }: Asked): DecidedBy | undefined {
  for (const { name, policy } of evidence.identityPolicies) {
    const statement = findAllowance(policy, request)
    if (statement) return said(policy, statement, name)
  }
  return undefined
}

/** The first limit that does not allow it. */
function findLimit({ request, evidence }: Asked): Decision | undefined {
  const { boundary, sessionPolicies } = evidence
  if (boundary && !findAllowance(boundary, request)) return BOUNDARY_STOPS
  for (const policy of sessionPolicies) {
    if (!findAllowance(policy, request)) return SESSION_STOPS
  }
  return undefined
}

const BOUNDARY_STOPS: Decision = {
  allowed: false,
  reason: 'implicit-deny',
  by: { source: 'boundary' },
}
const SESSION_STOPS: Decision = {
  allowed: false,
  reason: 'implicit-deny',
  by: { source: 'session-policy' },
}

function findAllowance(policy: Policy, request: PolicyRequest): Statement | undefined {
  for (const statement of policy.on(request.action).allowances) {
    if (applies(statement, request)) return statement
  }
  return undefined
}

const SOURCES = {
  key: 'key-policy',
  trust: 'trust-policy',
  identity: 'identity-policy',
  boundary: 'boundary',
  session: 'session-policy',
} as const

function said({ kind }: Policy, { sid, index }: Statement, name?: string): DecidedBy {
  return { source: SOURCES[kind], name, statement: sid || index }
}

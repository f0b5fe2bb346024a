/**
 * Decides whether a caller may assume a role: as a permission on any resource that has a policy of
 * its own, which here is the role's trust policy.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */

import type { Caller } from '../../model/caller.ts'
import type { Principal } from '../../model/identities/principal.ts'
import type { CallFacts, Conditions } from '../../operations/authority.ts'
import { type Decision, evaluate } from '../../policy/evaluate.ts'
import { conditionValues } from '../evidence/conditions.ts'
import type { PrincipalPolicies } from '../evidence/policies.ts'
import { compiledPolicy, ownPolicies } from '../evidence/policies.ts'

/** What policies may ask of a call whatever its role. */
export interface TrustFacts {
  readonly call: CallFacts
  readonly region: string
  /** Milliseconds since the epoch. */
  readonly nowMs: number
}

/** What is asked. */
export interface TrustQuestion extends TrustFacts {
  readonly caller: Caller
  /** `sts:AssumeRole` and the like. */
  readonly permission: string
  readonly role: Principal
  readonly conditions: Conditions
  /** Of the caller. */
  readonly policies: PrincipalPolicies
}

const REFUSED: Decision = { allowed: false, reason: 'implicit-deny' }

/** Decides. A root assumes no role, as in AWS: it may do already what it would then be kept from. */
export function decideTrust(question: TrustQuestion): Decision {
  const { caller, permission, role, policies } = question
  if (caller.kind === 'root' || role.trust === undefined) return REFUSED
  const { text, principalIds } = role.trust
  const { identityPolicies, boundary, sessionPolicies } = ownPolicies(caller, policies)
  const resource = { arn: role.arn, account: role.account }
  const conditions = { ...question.conditions, ...tagsOf(role), ...claimsOf(caller) }
  return evaluate(
    {
      caller,
      action: permission,
      resource,
      conditions: conditionValues({
        question: { caller, permission, resource, conditions, call: question.call },
        region: question.region,
        nowMs: question.nowMs,
      }),
      grantable: false,
      provider: caller.webIdentity?.providerArn,
    },
    {
      resourcePolicy: { policy: compiledPolicy(text, 'trust').policy, principalIds },
      identityPolicies,
      boundary,
      sessionPolicies,
      grants: [],
    },
  )
}

/** The tags of a user or role that is the resource, as policies ask for them. */
export function tagsOf(principal: Principal | undefined): Conditions {
  if (principal === undefined) return {}
  return { 'aws:ResourceTag': principal.tags, 'iam:ResourceTag': principal.tags }
}

/** The claims of a web identity, as IAM names them: `issuer.example/realm:sub`. */
function claimsOf({ webIdentity }: Caller): Conditions {
  if (!webIdentity) return {}
  const issuer = webIdentity.issuer.replace(/^https?:\/\//, '')
  return Object.fromEntries(
    [...webIdentity.claims].map(([claim, value]) => [`${issuer}:${claim}`, value]),
  )
}

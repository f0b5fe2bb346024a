/**
 * Decides whether a caller may assume a role: as a permission on any resource that has a policy of
 * its own, which here is the role's trust policy.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */

import type { Caller } from '../../model/caller.ts'
import type { Principal } from '../../model/identities/principal.ts'
import type { Conditions } from '../../operations/operation.ts'
import { compilePolicy, type Policy } from '../../policy/document.ts'
import { type Decision, evaluate } from '../../policy/evaluate.ts'
import type { PolicyKind } from '../../policy/statements.ts'
import type { PrincipalPolicies } from '../identities.ts'

/** What is asked. */
export interface TrustQuestion {
  readonly caller: Caller
  /** `sts:AssumeRole` and the like. */
  readonly permission: string
  readonly role: Principal
  readonly conditions: Conditions
  /** Of the caller. */
  readonly policies: PrincipalPolicies
}

const REFUSED: Decision = { allowed: false, reason: 'implicit-deny' }
/** Policies held ready. */
const HELD = 5000
const held = new Map<string, Policy>()

/** Decides. A root assumes no role, as in AWS: it may do already what it would then be kept from. */
export function decideTrust(question: TrustQuestion): Decision {
  const { caller, permission, role, conditions, policies } = question
  if (caller.kind === 'root' || role.trust === undefined) return REFUSED
  const { text, principalIds } = role.trust
  const { boundary, identityPolicies } = policies
  return evaluate(
    {
      caller,
      action: permission,
      resource: { arn: role.arn, account: role.account },
      conditions: valuesOf({ ...conditions, ...claimsOf(caller) }),
      grantable: false,
      provider: caller.webIdentity?.providerArn,
    },
    {
      resourcePolicy: { policy: compiled(text, 'trust'), principalIds },
      identityPolicies: identityPolicies.map(({ name, text: document }) => ({
        name,
        policy: compiled(document, 'identity'),
      })),
      boundary: boundary === undefined ? undefined : compiled(boundary, 'boundary'),
      sessionPolicies: (caller.sessionPolicies ?? []).map((each) => compiled(each, 'session')),
      grants: [],
    },
  )
}

function compiled(text: string, kind: PolicyKind): Policy {
  const name = `${kind} ${text}`
  const known = held.get(name)
  if (known) return known
  const policy = compilePolicy(text, kind)
  held.set(name, policy)
  const [oldest] = held.keys()
  if (held.size > HELD && oldest !== undefined) held.delete(oldest)
  return policy
}

/** The claims of a web identity, as IAM names them: `issuer.example/realm:sub`. */
function claimsOf({ webIdentity }: Caller): Conditions {
  if (!webIdentity) return {}
  const issuer = webIdentity.issuer.replace(/^https?:\/\//, '')
  return Object.fromEntries(
    [...webIdentity.claims].map(([claim, value]) => [`${issuer}:${claim}`, value]),
  )
}

function valuesOf(conditions: Conditions): ReadonlyMap<string, string | readonly string[]> {
  const values = new Map<string, string | readonly string[]>()
  for (const [name, value] of Object.entries(conditions)) {
    const key = name.toLowerCase()
    if (value === undefined) continue
    if (value instanceof Map) {
      for (const [member, text] of value) values.set(`${key}/${member.toLowerCase()}`, text)
    } else values.set(key, Array.isArray(value) ? value : String(value))
  }
  return values
}

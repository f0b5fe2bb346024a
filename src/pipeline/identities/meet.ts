/** Meets the needs of operations on principals, roles to assume and the installation. */

import type { Authorised } from '../../model/authorised.ts'
import type { Caller } from '../../model/caller.ts'
import { parsePrincipalArn } from '../../model/identities/principal.ts'
import type { Conditions } from '../../operations/operation.ts'
import type {
  AnybodyNeed,
  InstallationNeed,
  PrincipalNeed,
  TrustNeed,
} from '../../operations/principals.ts'
import type { Decision } from '../../policy/evaluate.ts'
import type { Store } from '../../store/store.ts'
import type { Identities } from '../identities.ts'
import { resolvePrincipal, roleOf } from './resolve.ts'
import { decideTrust, type TrustFacts, tagsOf } from './trust.ts'

/** What principals are found by. */
export interface PrincipalParts {
  readonly store: Store
  readonly identities: Identities
  /** The installation's first account, whose root is keyslot's operator. */
  readonly operator: string
}

/** A need of this file. */
export type OtherNeed =
  | PrincipalNeed<never>
  | TrustNeed<never>
  | InstallationNeed<never>
  | AnybodyNeed

/** What is asked for a need. */
export interface AskedOfPrincipal {
  readonly caller: Caller
  readonly request: unknown
  readonly conditions: Conditions
  readonly facts: TrustFacts
  /** Whether the operator's seed says it. */
  readonly isSeed: boolean
  /** Refuses the caller unless policies allow it; they may ask for these values too. */
  readonly ask: (
    resource: { readonly arn: string; readonly account: string },
    conditions?: Conditions,
  ) => Promise<void>
  /** Records a decision that has been made already, and refuses the caller if it is no. */
  readonly decided: (
    resource: { readonly arn: string; readonly account: string },
    decision: Decision,
  ) => void
}

/** The resource of a need, once the caller has been authorised; `undefined` if it is not asked. */
export async function meetPrincipal(
  parts: PrincipalParts,
  need: OtherNeed,
  asked: AskedOfPrincipal,
): Promise<Authorised<object> | undefined> {
  const { caller } = asked
  const request = asked.request as never
  switch (need.kind) {
    case 'anybody':
      return authorised({ arn: '*', account: caller.account })
    case 'installation': {
      if (!need.find(request)) return undefined
      const resource = { arn: '*', account: parts.operator }
      // The seed is the operator's word, in the name of whatever account.
      if (asked.isSeed) asked.decided(resource, SAID_BY_OPERATOR)
      else await asked.ask(resource)
      return authorised(resource)
    }
    case 'principal': {
      const query = need.find(request)
      if (query === undefined) return undefined
      const resource = await resolvePrincipal(parts.store, query, caller)
      await asked.ask(resource, tagsOf(resource.principal))
      return authorised(resource)
    }
    case 'trust':
      return meetTrust(parts, need, asked)
  }
}

async function meetTrust(
  { store, identities }: PrincipalParts,
  need: TrustNeed<never>,
  { caller, request, conditions, facts, decided }: AskedOfPrincipal,
): Promise<Authorised<object> | undefined> {
  const arn = need.find(request as never, caller)
  if (arn === undefined) return undefined
  const role = await roleOf(store, arn)
  const policies = await identities.policiesOf(caller)
  const { permission } = need
  // Whether there is such a role is nobody's business who may not assume it.
  const decision = role
    ? decideTrust({ ...facts, caller, permission, role, conditions, policies })
    : NOT_THERE
  decided({ arn, account: parsePrincipalArn(arn)?.account ?? '' }, decision)
  return role && authorised(role)
}

const SAID_BY_OPERATOR: Decision = { allowed: true, reason: 'allow' }
const NOT_THERE: Decision = { allowed: false, reason: 'implicit-deny' }

function authorised<T extends object>(resource: T): Authorised<T> {
  return resource as Authorised<T>
}

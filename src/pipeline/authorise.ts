/**
 * Decides whether a caller may do something: gathers the key policy, the caller's own policies and
 * the grants as they are now, and has `policy/` evaluate them.
 */

import { rootArn } from '../model/arn.ts'
import type { Caller } from '../model/caller.ts'
import { fail, KmsError } from '../model/failures.ts'
import type { Grant } from '../model/grant.ts'
import {
  type PrincipalName,
  type PrincipalReference,
  parsePrincipalArn,
} from '../model/identities/principal.ts'
import type { Key } from '../model/key.ts'
import type { Authority, Question } from '../operations/authority.ts'
import { policyOf } from '../policy/document.ts'
import { type Decision, type Evidence, evaluate } from '../policy/evaluate.ts'
import type { PolicyRequest } from '../policy/request.ts'
import type { Store } from '../store/store.ts'
import { conditionValues, type Facts } from './evidence/conditions.ts'
import {
  type CompiledPolicy,
  compiledPolicy,
  type OwnPolicies,
  ownPolicies,
} from './evidence/policies.ts'
import type { Identities } from './identities.ts'

/** What decisions are made from. */
export interface AuthorityParts {
  readonly store: Store
  readonly identities: Pick<Identities, 'callerOf' | 'policiesOf'>
  readonly region: string
  /** Milliseconds since the epoch. */
  readonly clock: () => number
}

const INTERNAL = 'keyslot:'
const REFUSED: Decision = { allowed: false, reason: 'implicit-deny' }
const INTERNALLY_ALLOWED: Decision = { allowed: true, reason: 'allow' }
/** Stands for a key policy where only grants count, or where there is no key. */
const NO_WORD = {
  policy: policyOf('key', []),
  principalIds: new Map(),
}
/** The session for which a role is asked when none is named. */
const ANY_SESSION = 'any-session'

/** Makes the authority. */
export function createAuthority(parts: AuthorityParts): Authority {
  return {
    decide: (question) => decide(parts, question),
    conditionsOf: (question) => conditionValues(factsOf(parts, question)),
    principal: (arn) => principal(parts, arn),
  }
}

/**
 * Refuses a caller who may not.
 *
 * A caller of another account is told the same whether the resource is there or not; `arn` is the
 * one that the request named, not the one it led to.
 *
 * @throws KmsError AccessDeniedException, always.
 */
export function deny(
  { caller, permission, resource }: Question,
  decision: Decision,
  arn = resource.arn,
): never {
  fail(
    'AccessDeniedException',
    `User: ${caller.arn} is not authorized to perform: ${permission} on resource: ${arn} ` +
      because(caller, permission, resource, decision),
  )
}

function because(
  caller: Caller,
  permission: string,
  resource: Question['resource'],
  { reason, by }: Decision,
): string {
  const atHome = caller.account === resource.account
  const article = by && ARTICLES[by.source]
  if (atHome && reason === 'explicit-deny' && article) return `with an explicit deny in ${article}`
  if (atHome && resource.arn === '*') {
    return `because no identity-based policy allows the ${permission} action`
  }
  return (
    'because the resource does not exist in this Region, no resource-based policies allow ' +
    'access, or a resource-based policy explicitly denies access'
  )
}

const ARTICLES: Readonly<Record<string, string>> = {
  'key-policy': 'a resource-based policy',
  'identity-policy': 'an identity-based policy',
  boundary: 'a permissions boundary',
  'session-policy': 'a session policy',
}

async function decide(parts: AuthorityParts, question: Question): Promise<Decision> {
  const { caller, permission, key, grantable, grants } = question
  if (permission.startsWith(INTERNAL) || caller.kind === 'keyslot') {
    const isOwn = permission.startsWith(INTERNAL) && caller.kind === 'keyslot'
    return isOwn ? INTERNALLY_ALLOWED : REFUSED
  }
  const { resource } = question
  const isAbroad = caller.account !== resource.account
  if (isAbroad && !question.otherAccounts) return REFUSED
  // What is not there has no policy that could let a stranger in, who must not notice either that
  // none was asked: all is done as for a key that says nothing of strangers.
  const isMissing = isAbroad && !key && !grants
  const keyId = isMissing ? resource.arn.slice(resource.arn.indexOf('/') + 1) : key?.keyId
  const own = ownPolicies(caller, await parts.identities.policiesOf(caller))
  const ofKey = key && !grants ? compiledPolicy(key.policy.text, 'key') : undefined
  const facts = factsOf(parts, question)
  const mayAsk = mayAskOfKey(ofKey, own)
  const conditions = conditionValues(
    key && mayAsk ? { ...facts, ...(await lookedUp(parts, key, mayAsk)) } : facts,
  )
  const context = question.conditions['kms:EncryptionContext']
  const encryptionContext = context instanceof Map ? context : undefined
  const request: PolicyRequest = {
    caller,
    action: permission,
    resource,
    conditions,
    encryptionContext,
    grantable: grantable !== false,
  }
  const evidence = evidenceOf(question, own, ofKey, isMissing)
  const decision = evaluate(request, evidence)
  // Grants never deny, so that most calls need not look for them.
  if (decision.reason !== 'implicit-deny' || !keyId || grants || grantable === false) {
    return decision
  }
  const found = await grantsFor(parts.store, question, keyId, encryptionContext)
  return found.length === 0 ? decision : evaluate(request, { ...evidence, grants: found })
}

function evidenceOf(
  { key, grants }: Question,
  own: OwnPolicies,
  ofKey: CompiledPolicy | undefined,
  isMissing: boolean,
): Evidence {
  const { identityPolicies, boundary, sessionPolicies } = own
  const evidence = { identityPolicies, boundary, sessionPolicies, grants: grants ?? [] }
  if (grants || isMissing) return { ...evidence, resourcePolicy: NO_WORD }
  if (!key || !ofKey) return evidence
  const { principalIds } = key.policy
  return { ...evidence, resourcePolicy: { policy: ofKey.policy, principalIds } }
}

function factsOf({ region, clock }: AuthorityParts, question: Question): Facts {
  return { question, region, nowMs: clock() }
}

/** Which of the facts that have to be looked up policies may ask for. */
type Lookups = Pick<CompiledPolicy, 'asksAliases' | 'asksTags'>

/** Seldom anything: then nothing is looked up. */
function mayAskOfKey(ofKey: CompiledPolicy | undefined, { all }: OwnPolicies): Lookups | undefined {
  let asksAliases = ofKey?.asksAliases === true
  let asksTags = ofKey?.asksTags === true
  for (const each of all) {
    asksAliases ||= each.asksAliases
    asksTags ||= each.asksTags
  }
  return asksAliases || asksTags ? { asksAliases, asksTags } : undefined
}

async function lookedUp(
  { store }: AuthorityParts,
  { account, region, keyId }: Key,
  { asksAliases, asksTags }: Lookups,
): Promise<Pick<Facts, 'aliasNames' | 'tags'>> {
  const everything = { limit: Number.MAX_SAFE_INTEGER }
  const aliases = asksAliases
    ? await store.aliases.list({ account, region, keyId }, everything)
    : undefined
  const tags = asksTags ? await store.tags.list(keyId, everything) : undefined
  return { aliasNames: aliases?.map(({ name }) => name), tags }
}

async function grantsFor(
  store: Store,
  { caller, grantable }: Question,
  keyId: string,
  context: ReadonlyMap<string, string> | undefined,
): Promise<readonly Grant[]> {
  const { arn, roleArn, account, kind } = caller
  const granteeArns = kind === 'service' ? [arn] : [arn, rootArn(account)]
  if (roleArn !== undefined) granteeArns.push(roleArn)
  const names = [...new Set(granteeArns)]
  const found = await store.grants.deciding({ keyId, granteeArns: names, context })
  return typeof grantable === 'function' ? found.filter(grantable) : found
}

async function principal({ identities }: AuthorityParts, arn: string): Promise<Caller | undefined> {
  const named = parsePrincipalArn(arn)
  if (named === undefined) return undefined
  const caller = await identities.callerOf(nameOf(named)).catch((error: unknown) => {
    if (!(error instanceof KmsError) || error.fault !== 'caller') throw error
    return undefined
  })
  return [caller?.arn, caller?.roleArn].includes(arn) ? caller : undefined
}

function nameOf(named: PrincipalReference): PrincipalName {
  const { account } = named
  if (named.kind === 'root') return { kind: 'root', account }
  if (named.kind === 'session') {
    return { kind: 'role', account, role: named.role, session: named.session }
  }
  return named.kind === 'user'
    ? { kind: 'user', account, user: named.name }
    : { kind: 'role', account, role: named.name, session: ANY_SESSION }
}

/** Meets the needs of an operation: finds each resource, authorises it and looks at its fitness. */

import { randomUUID } from 'node:crypto'
import { type Place, rootArn } from '../model/arn.ts'
import type { Authorised } from '../model/authorised.ts'
import type { Caller } from '../model/caller.ts'
import { type Grant, type GrantPrincipal, noSuchGrant } from '../model/grant.ts'
import { keyAt } from '../model/key.ts'
import type { CallFacts, Conditions, Question } from '../operations/authority.ts'
import type {
  AnyOperation,
  GrantName,
  GrantResource,
  Need,
  OperationName,
  Operations,
  Services,
} from '../operations/operation.ts'
import type { Decision } from '../policy/evaluate.ts'
import type { ConditionValues } from '../policy/request.ts'
import { deny } from './authorise.ts'
import { checkGrantTokens, grantOfToken, grantTokensIn } from './evidence/grant-tokens.ts'
import { checkFitness } from './fitness.ts'
import { meetPrincipal, type OtherNeed } from './identities/meet.ts'
import type { Identities } from './identities.ts'
import { ensureManagedKey, isManagedAlias } from './managed-keys.ts'
import { resolveAlias, resolveKey } from './resolve.ts'

/** A call whose needs are to be met. */
export interface Asked<N extends OperationName = OperationName> {
  readonly name: N
  readonly caller: Caller
  readonly request: Operations[N]['request']
  readonly home: Place
  readonly call: CallFacts
  /** Whether the operator's seed says it. */
  readonly isSeed: boolean
  /** Told of every decision. */
  readonly decided: (question: Question, decision: Decision) => void
}

/** What needs are met with. */
export interface NeedsParts {
  readonly services: Services
  readonly identities: Identities
  /** The installation's first account, whose root is keyslot's operator. */
  readonly operator: string
}

/** What an operation is given. */
export interface Met {
  /** By the names of its needs. */
  readonly given: Readonly<Record<string, unknown>>
  /** What policies may ask of the call, for its first need. */
  readonly conditions: ConditionValues
}

/** A resource as it was found. */
interface Found {
  readonly question: Question
  /** The ARN that the request named, where it led to another. */
  readonly shown?: string
  /** What the operation is given; absent if it is not there. */
  readonly given?: object
  /** Says that it is not there, to a caller who may know. */
  readonly missing?: () => never
  /** Whether a caller who may not is told that it is not there. */
  readonly concealed?: boolean
  /** Looks at its fitness. */
  readonly check?: () => void
  /** Authorises it in a way of its own; `undefined` if no permission is asked. */
  readonly meet?: () => Promise<Authorised<object> | undefined>
}

/** The part of a question that does not depend on what was found. */
type Terms = Omit<Question, 'resource'>

/**
 * Meets every need: all that the request names is found before anything is decided, and nothing is
 * said of what is not there, or not fit, to who may not use it.
 *
 * @throws KmsError AccessDeniedException; NotFoundException and the like of `resolveKey`; of
 *   `checkFitness`; InvalidGrantTokenException.
 */
export async function meetNeeds<N extends OperationName>(
  parts: NeedsParts,
  operation: AnyOperation<N>,
  asked: Asked<N>,
): Promise<Met> {
  const { authority, store } = parts.services
  const tokens = grantTokensIn(asked.request)
  if (tokens.length > 0) await checkGrantTokens(store, tokens)
  const found: [string, Found][] = []
  for (const [name, need] of Object.entries(operation.needs)) {
    const each = await find(parts, need, asked, termsOf(operation, name, need, asked))
    if (each !== undefined) found.push([name, each])
  }
  const onSameKey = found.length > 1 && namesOneKey(found.map(([, { question }]) => question))
  const given: Record<string, unknown> = {}
  for (const [name, each] of found) {
    const resource = await authorise(parts.services, onSameKey ? onSame(each) : each, asked)
    if (resource !== undefined) given[name] = resource
  }
  const [first] = found
  if (first === undefined || Object.keys(given).length === 0) {
    throw new Error(`${operation.name} asked no permission`)
  }
  return { given, conditions: authority.conditionsOf(first[1].question) }
}

function termsOf<N extends OperationName>(
  operation: AnyOperation<N>,
  name: string,
  need: Need<never>,
  { caller, call, request }: Asked<N>,
): Terms {
  const permission = need.permission ?? `kms:${operation.name}`
  const conditions: Conditions = operation.conditions?.(request, name) ?? {}
  const { grantable = false, otherAccounts = grantable !== false } = need.kind === 'key' ? need : {}
  const byGrant =
    typeof grantable === 'boolean'
      ? grantable
      : (grant: Grant) => grantable(grant, request as never)
  return { caller, call, permission, conditions, grantable: byGrant, otherAccounts }
}

function find(
  parts: NeedsParts,
  need: Need<never>,
  asked: Asked,
  terms: Terms,
): Found | undefined | Promise<Found | undefined> {
  const { home } = asked
  const { services } = parts
  const request = asked.request as never
  if (need.kind === 'key') return findKey(services, need, asked, terms)
  if (need.kind === 'account') {
    if (!need.find(request)) return undefined
    const resource = { ...home, arn: need.arn?.(request) ?? '*' }
    return { question: { ...terms, resource }, given: { ...home, arn: '*' } }
  }
  if (need.kind === 'alias') return findAlias(services, need.find(request), asked, terms)
  if (need.kind === 'grant') return findGrant(services, need.find(request), asked, terms)
  return principalNeed(parts, need, asked, terms)
}

async function findAlias(
  { store }: Services,
  name: string,
  { home }: Asked,
  terms: Terms,
): Promise<Found> {
  const alias = await resolveAlias(store, name, home)
  return { question: { ...terms, resource: alias }, given: alias }
}

async function findKey(
  services: Services,
  need: Extract<Need<never>, { kind: 'key' }>,
  { name, caller, request, home }: Asked,
  terms: Terms,
): Promise<Found | undefined> {
  const keyName = need.find(request as never)
  if (keyName === undefined) return undefined
  let named = await resolveKey(services.store, keyName, home)
  if (!named.key && isManagedAlias(caller, named)) {
    await ensureManagedKey(services, caller, home)
    named = await resolveKey(services.store, keyName, home)
  }
  const { aliasName, missing, concealed, arn, account } = named
  const key = named.key && keyAt(named.key, services.clock())
  const question = { ...terms, resource: key ?? { arn, account }, key, aliasName }
  const check = key && (() => checkFitness(key, need, name))
  return { question, shown: arn, given: key, missing, concealed, check }
}

async function findGrant(
  { store }: Services,
  name: GrantName,
  { home }: Asked,
  terms: Terms,
): Promise<Found> {
  if ('token' in name) return retirable(await grantOfToken(store, name.token), terms)
  const { key, arn, account } = await resolveKey(store, { text: name.keyId, aliases: false }, home)
  const grant = key && (await store.grants.find(name.grantId))
  if (key && grant?.keyId === key.keyId) return retirable({ grant, key }, terms)
  const missing = () => noSuchGrant(name.grantId)
  return { question: { ...terms, resource: { arn, account } }, missing }
}

/** Of operations on principals and the installation: found and asked for together. */
function principalNeed(
  { services, identities, operator }: NeedsParts,
  need: OtherNeed,
  { caller, request, home, isSeed, decided }: Asked,
  terms: Terms,
): Found {
  const { authority, store, clock } = services
  const questionOn = (resource: Question['resource']): Question => ({ ...terms, resource })
  const ask = async (resource: Question['resource'], more: Conditions = {}): Promise<void> => {
    const conditions = { ...terms.conditions, ...more }
    const question = { ...questionOn(resource), conditions }
    const decision = await authority.decide(question)
    decided(question, decision)
    if (!decision.allowed) deny(question, decision)
  }
  const note = (resource: Question['resource'], decision: Decision): void => {
    decided(questionOn(resource), decision)
    if (!decision.allowed) deny(questionOn(resource), decision)
  }
  const { conditions, call } = terms
  const facts = { call, region: home.region, nowMs: clock() }
  const asked = { caller, request, conditions, facts, isSeed, ask, decided: note }
  return {
    question: questionOn({ arn: '*', account: caller.account }),
    meet: () => meetPrincipal({ store, identities, operator }, need, asked),
  }
}

/**
 * Who may retire a grant is the grant's to say: its retiring principal, its grantee if RetireGrant
 * is among its operations, the account that made it and the account of the key, each as if by a
 * grant to do so. Those accounts may pass it on by identity policies, and these may deny it.
 * https://docs.aws.amazon.com/kms/latest/developerguide/grant-delete.html
 */
function retirable({ grant, key }: GrantResource, terms: Terms): Found {
  const principals: (GrantPrincipal | undefined)[] = [
    grant.retiring,
    grant.operations.includes('RetireGrant') ? grant.grantee : undefined,
    { arn: grant.issuingAccount },
    { arn: rootArn(key.account) },
  ]
  const grants = principals
    .filter((each) => each !== undefined)
    .map((grantee) => ({ ...grant, grantee, operations: ['RetireGrant'] as const }))
  const rules = { grantable: true, otherAccounts: true, grants }
  return { question: { ...terms, ...rules, resource: key, key }, given: { grant, key } }
}

async function authorise(
  { authority, store }: Services,
  { question, shown, given, missing, concealed, check, meet }: Found,
  { decided }: Asked,
): Promise<Authorised<object> | undefined> {
  if (meet) return meet()
  const decision = await authority.decide(question)
  decided(question, decision)
  if (!decision.allowed) {
    // What is not there was looked for in the database, what is there in memory: by the time that
    // takes, a stranger could tell them apart.
    const isAbroad = question.caller.account !== question.resource.account
    if (isAbroad && question.key) await store.keys.find(randomUUID())
    if (concealed) missing?.()
    deny(question, decision, shown)
  }
  if (given === undefined) missing?.()
  check?.()
  return authorised(given ?? {})
}

function namesOneKey(questions: readonly Question[]): boolean {
  const [first, ...others] = questions.flatMap(({ key }) => (key ? [key.keyId] : []))
  return others.length > 0 && others.every((keyId) => keyId === first)
}

function onSame(found: Found): Found {
  return { ...found, question: { ...found.question, onSameKey: true } }
}

/** The only place that vouches for an authorisation. */
function authorised<T extends object>(resource: T): Authorised<T> {
  return resource as Authorised<T>
}

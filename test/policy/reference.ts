/**
 * A second evaluator, for comparison: written from AWS's text in the most naive way. It compiles
 * nothing: for every question it spells out every name that a caller goes by, tries every way in
 * which a pattern could match, and then asks whether sets are empty.
 */

import type { Grant } from '../../src/model/grant.ts'
import type { PolicyRequest } from '../../src/policy/request.ts'
import { type Conditional, conditionsHold } from './reference-conditions.ts'
import { globs, globsArn, substitute } from './reference-patterns.ts'

/** Evidence as texts. */
export interface EvidenceTexts {
  readonly resourcePolicy?: {
    readonly text: string
    readonly principalIds: ReadonlyMap<string, string>
  }
  readonly identityPolicies: readonly string[]
  readonly boundary?: string
  readonly sessionPolicies: readonly string[]
  readonly grants: readonly Grant[]
}

/** What the reference says. */
export type Verdict = 'allow' | 'explicit-deny' | 'implicit-deny'

type Document = { Version?: string; Statement: Statement | Statement[] }
type Principal = '*' | Partial<Record<'AWS' | 'Service' | 'Federated', string | string[]>>
interface Statement extends Conditional {
  Principal?: Principal
  NotPrincipal?: Principal
  Action?: string | string[]
  NotAction?: string | string[]
  Resource?: string | string[]
  NotResource?: string | string[]
}

/** A name by which a caller goes: that of everybody, its account, its role or its own. */
type Label = 'everybody' | 'account' | 'role' | 'own'

/** Decides. */
export function verdict(request: PolicyRequest, evidence: EvidenceTexts): Verdict {
  const { caller, resource, provider } = request
  if (caller.kind === 'keyslot') return 'implicit-deny'
  const { resourcePolicy } = evidence
  const bounded = evidence.boundary !== undefined
  const about = (text: string, effect: 'Allow' | 'Deny') =>
    statementsOf(text).filter(
      ({ statement, version }) =>
        statement.Effect === effect &&
        speaksOfAction(statement, request) &&
        speaksOfResource(statement, version, request, text === resourcePolicy?.text) &&
        conditionsHold(statement, version, request),
    )
  const ofResource = (effect: 'Allow' | 'Deny') =>
    resourcePolicy === undefined
      ? []
      : about(resourcePolicy.text, effect).flatMap(({ statement }) =>
          labelsGiven(statement, request, resourcePolicy.principalIds, bounded),
        )
  const limits = [
    ...(evidence.boundary === undefined ? [] : [evidence.boundary]),
    ...evidence.sessionPolicies,
  ]
  const ownTexts = [...evidence.identityPolicies, ...limits]
  const denials = ownTexts.flatMap((text) => about(text, 'Deny')).length + ofResource('Deny').length
  if (denials > 0) return 'explicit-deny'

  const withinLimits = limits.every((text) => about(text, 'Allow').length > 0)
  const hasPolicies = provider === undefined && ['user', 'role'].includes(caller.kind)
  const byIdentity = evidence.identityPolicies.some((text) => about(text, 'Allow').length > 0)
  const home = caller.account === resource.account
  if (resourcePolicy === undefined) {
    const alone = home && withinLimits && (caller.kind === 'root' || (hasPolicies && byIdentity))
    return alone ? 'allow' : 'implicit-deny'
  }
  const given = new Set(ofResource('Allow'))
  const granted = new Set(evidence.grants.flatMap((grant) => labelsGranted(grant, request)))
  const direct = (labels: Set<Label>) => labels.has('everybody') || labels.has('own')
  const ways = home
    ? [
        direct(given),
        direct(granted),
        given.has('role') && withinLimits,
        granted.has('role') && withinLimits,
        given.has('account') && byIdentity && withinLimits,
        granted.has('account') && byIdentity && withinLimits,
      ]
    : [
        given.size > 0 && (byIdentity || (!hasPolicies && direct(given))) && withinLimits,
        granted.size > 0 && (byIdentity || (!hasPolicies && direct(granted))) && withinLimits,
        request.action === 'kms:RetireGrant' &&
          (direct(granted) || granted.has('role')) &&
          withinLimits,
      ]
  return ways.includes(true) ? 'allow' : 'implicit-deny'
}

/** The last documents that were read: the same are asked again and again. */
const documents = new Map<string, Document>()

function documentOf(text: string): Document {
  const known = documents.get(text)
  if (known) return known
  if (documents.size > 20) documents.clear()
  const document: Document = JSON.parse(text)
  documents.set(text, document)
  return document
}

function statementsOf(text: string): { statement: Statement; version: string }[] {
  const document: Document = documentOf(text)
  const version = document.Version ?? '2008-10-17'
  return [document.Statement].flat().map((statement) => ({ statement, version }))
}

// Principals.

/** Every name by which the caller goes, with its label. */
function namesOf({ caller, provider }: PolicyRequest): Map<string, Label> {
  if (provider !== undefined) return new Map([[`Federated ${provider}`, 'own']])
  const names = new Map<string, Label>([['AWS *', 'everybody']])
  if (caller.kind === 'service') return names.set(`Service ${caller.arn}`, 'own')
  const ofAccount = caller.kind === 'root' ? 'own' : 'account'
  names.set(`AWS ${caller.account}`, ofAccount)
  names.set(`AWS arn:aws:iam::${caller.account}:root`, ofAccount)
  if (caller.kind === 'root') return names
  names.set(`AWS ${caller.arn}`, 'own')
  const uniqueId = caller.principalId?.split(':')[0]
  if (uniqueId !== undefined) names.set(`AWS ${uniqueId}`, caller.roleArn ? 'role' : 'own')
  if (caller.roleArn !== undefined) names.set(`AWS ${caller.roleArn}`, 'role')
  return names
}

function namedBy(principal: Principal): string[] {
  if (principal === '*') return ['AWS *']
  return Object.entries(principal).flatMap(([kind, texts]) =>
    [texts].flat().map((text) => `${kind} ${text}`),
  )
}

function labelsGiven(
  statement: Statement,
  request: PolicyRequest,
  ids: ReadonlyMap<string, string>,
  bounded: boolean,
): Label[] {
  const { caller } = request
  const names = namesOf(request)
  /** The labels of those names of the caller that stand in the element and still mean it. */
  const among = (principal: Principal): Label[] =>
    namedBy(principal).flatMap((name) => {
      const label = names.get(name)
      const bound = ids.get(name.slice('AWS '.length))
      const isGone = bound !== undefined && bound !== caller.principalId?.split(':')[0]
      return label === undefined || isGone ? [] : [label]
    })
  if (statement.Principal !== undefined) {
    if (statement.Effect === 'Deny' && request.provider !== undefined)
      names.set('AWS *', 'everybody')
    return among(statement.Principal)
  }
  if (statement.NotPrincipal === undefined) return ['own']
  if (bounded) return ['own']
  const labels = new Set(among(statement.NotPrincipal))
  if (labels.has('everybody')) return []
  const needed: Label[] =
    caller.kind === 'user'
      ? ['account', 'own']
      : caller.kind === 'role'
        ? ['account', 'role', ...sessionsNamed(statement.NotPrincipal, caller.arn)]
        : ['own']
  return needed.every((label) => labels.has(label)) ? [] : ['own']
}

/** A session has to be named if the element names a session of its role. */
function sessionsNamed(principal: Principal, arn: string): Label[] {
  const role = arn.split('/').slice(0, 2).join('/')
  return namedBy(principal).some((name) => name.startsWith(`AWS ${role}/`)) ? ['own'] : []
}

function labelsGranted(grant: Grant, request: PolicyRequest): Label[] {
  const { caller, action, grantable, encryptionContext, provider } = request
  if (!grantable || provider !== undefined) return []
  const given = grant.operations.map((operation) => `kms:${operation}`)
  if (!given.includes(action as (typeof given)[number])) return []
  const { arn, principalId } = grant.grantee
  const isService = caller.kind === 'service'
  if (isService && grant.issuingAccount !== `arn:aws:iam::${caller.account}:root`) return []
  const label = namesOf(request).get(caller.kind === 'service' ? `Service ${arn}` : `AWS ${arn}`)
  if (label === undefined || label === 'everybody') return []
  if (principalId !== undefined && principalId !== caller.principalId?.split(':')[0]) return []
  const takesContext = /^kms:((En|De)crypt|ReEncrypt(From|To)|GenerateDataKey\w*)$/.test(action)
  if (!takesContext) return [label]
  const pairs = (map: ReadonlyMap<string, string> = new Map()) =>
    new Set([...map].map(([name, value]) => JSON.stringify([name.toLowerCase(), value])))
  const context = pairs(encryptionContext)
  const { encryptionContextSubset, encryptionContextEquals } = grant.constraints ?? {}
  const subset = isSubset(pairs(encryptionContextSubset), context)
  const equals = pairs(encryptionContextEquals)
  const same =
    encryptionContextEquals === undefined ||
    (encryptionContextEquals.size === (encryptionContext?.size ?? 0) &&
      isSubset(equals, context) &&
      isSubset(context, equals))
  return subset && same ? [label] : []
}

function isSubset(some: Set<string>, all: Set<string>): boolean {
  return [...some].every((one) => all.has(one))
}

// Actions and resources.

function speaksOfAction({ Action, NotAction }: Statement, { action }: PolicyRequest): boolean {
  const among = (texts: string | string[]) =>
    [texts]
      .flat()
      .some((text) => (text === '*' ? true : globs([...text.toLowerCase()], action.toLowerCase())))
  return Action !== undefined ? among(Action) : !among(NotAction ?? [])
}

function speaksOfResource(
  { Effect, Resource, NotResource }: Statement,
  version: string,
  request: PolicyRequest,
  isOfResource: boolean,
): boolean {
  const each = (texts: string | string[]) =>
    [texts].flat().map((text) => {
      const tokens = substitute(text, version, request)
      return tokens === undefined ? undefined : globsArn(tokens, request.resource.arn)
    })
  if (Resource !== undefined) return each(Resource).includes(true)
  if (NotResource === undefined) return !isOfResource
  const matched = each(NotResource)
  return !matched.includes(true) && (Effect === 'Deny' || !matched.includes(undefined))
}

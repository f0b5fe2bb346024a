/**
 * A second evaluator, for comparison: written from AWS's text in the most naive way. It compiles
 * nothing: for every question it spells out every name that a caller goes by, tries every way in
 * which a pattern could match, and then asks whether sets are empty.
 */

import { BlockList, isIPv4, isIPv6 } from 'node:net'
import type { Grant } from '../../src/model/grant.ts'
import type { PolicyRequest } from '../../src/policy/request.ts'

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
type Scalar = string | number | boolean
interface Statement {
  Effect: 'Allow' | 'Deny'
  Principal?: Principal
  NotPrincipal?: Principal
  Action?: string | string[]
  NotAction?: string | string[]
  Resource?: string | string[]
  NotResource?: string | string[]
  Condition?: Record<string, Record<string, Scalar | Scalar[]>>
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
        direct(granted) && withinLimits,
        granted.has('role') && withinLimits,
        granted.has('account') && byIdentity && withinLimits,
      ]
  return ways.includes(true) ? 'allow' : 'implicit-deny'
}

function statementsOf(text: string): { statement: Statement; version: string }[] {
  const document: Document = JSON.parse(text)
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
  if (statement.Principal !== undefined) return among(statement.Principal)
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

/** A character as it stands, or a wildcard. */
type Token = string | { literal: string }

/** The tokens of a text; of the value of a variable each is literal. */
function substitute(text: string, version: string, request: PolicyRequest): Token[] | undefined {
  if (version !== '2012-10-17') return [...text]
  const tokens: Token[] = []
  for (const piece of text.split(/(\$\{[^}]*\})/)) {
    if (!piece.startsWith('${')) {
      tokens.push(...piece)
      continue
    }
    const inner = piece.slice(2, -1)
    const [key = '', otherwise] = inner.split(/,\s*/)
    const value = '*?$'.includes(inner)
      ? inner
      : (valueOfKey(key.trim(), request) ?? otherwise?.trim().slice(1, -1))
    if (typeof value !== 'string') return undefined
    tokens.push(...[...value].map((literal) => ({ literal })))
  }
  return tokens
}

/** Whether tokens match a text: a `*` for every possible length. */
function globs(tokens: readonly Token[], text: string, token = 0, at = 0): boolean {
  const first = tokens[token]
  if (first === undefined) return at === text.length
  if (first === '*') {
    for (let next = at; next <= text.length; next += 1) {
      if (globs(tokens, text, token + 1, next)) return true
    }
    return false
  }
  const fits = first === '?' || (typeof first === 'string' ? first : first.literal) === text[at]
  return at < text.length && fits && globs(tokens, text, token + 1, at + 1)
}

/** The same for ARNs, where wildcards stay in their part but for a `*` at its end. */
function globsArn(tokens: readonly Token[], text: string, token = 0, at = 0): boolean {
  const first = tokens[token]
  if (first === undefined) return at === text.length
  if (first === '*') {
    const rest = tokens.slice(token + 1).find((each) => each !== '*')
    const reaches = rest === ':' || rest === undefined
    for (let next = at; next <= text.length; next += 1) {
      if (globsArn(tokens, text, token + 1, next)) return true
      if (!reaches && text[next] === ':') return false
    }
    return false
  }
  const fits =
    first === '?'
      ? text[at] !== ':'
      : (typeof first === 'string' ? first : first.literal) === text[at]
  return at < text.length && fits && globsArn(tokens, text, token + 1, at + 1)
}

// Conditions.

function conditionsHold(
  { Condition = {}, Effect }: Statement,
  version: string,
  request: PolicyRequest,
): boolean {
  return Object.entries(Condition).every(([operator, keys]) =>
    Object.entries(keys).every(([key, operands]) =>
      conditionHolds(operator, [operands].flat().map(String), {
        found: valueOfKey(key, request),
        version,
        request,
        effect: Effect,
      }),
    ),
  )
}

interface Context {
  readonly found: string | readonly string[] | undefined
  readonly version: string
  readonly request: PolicyRequest
  readonly effect: 'Allow' | 'Deny'
}

function conditionHolds(operator: string, operands: string[], context: Context): boolean {
  const { found, effect } = context
  const values = found === undefined ? [] : [found].flat()
  const isEmpty = values.length === 0 || (values.length === 1 && values[0] === '')
  if (operator === 'Null') return operands.map((text) => text === 'true').includes(isEmpty)
  const [, set, base = '', ifExists] =
    /^(ForAllValues:|ForAnyValue:)?(\w+?)(IfExists)?$/.exec(operator) ?? []
  const negated = /Not(?!e)/.test(base)
  if (set ? isEmpty : values.length === 0) {
    return ifExists !== undefined || (set ? set === 'ForAllValues:' : negated)
  }
  const one = (value: string): boolean => {
    const results = operands.map((operand) => compare(base, value, operand, context))
    if (!negated) return results.includes(true)
    return !results.includes(true) && (effect === 'Deny' || !results.includes(undefined))
  }
  const results = values.map(one)
  if (set) return set === 'ForAllValues:' ? !results.includes(false) : results.includes(true)
  return effect === 'Allow' ? !results.includes(false) : results.includes(true)
}

function compare(
  base: string,
  value: string,
  operand: string,
  { version, request }: Context,
): boolean | undefined {
  const name = base.replace('Not', '')
  if (/^(String|Arn)/.test(name)) {
    const tokens = substitute(operand, version, request)
    if (tokens === undefined) return undefined
    const plain = tokens.map((t) => (typeof t === 'string' ? t : t.literal)).join('')
    if (name === 'StringEquals') return value === plain
    if (name === 'StringEqualsIgnoreCase') return value.toLowerCase() === plain.toLowerCase()
    if (name === 'StringLike') return globs(tokens, value)
    return operand === '*' || arnsMatch(tokens, value)
  }
  if (name === 'Bool') return value.toLowerCase() === operand.toLowerCase()
  if (name === 'BinaryEquals') return atob(value) === atob(operand)
  if (name === 'IpAddress') return isInRange(value, operand)
  const [a, b] = name.startsWith('Date')
    ? [date(value), date(operand)]
    : [Number(value), Number(operand)]
  switch (name.replace(/^(Date|Numeric)/, '')) {
    case 'Equals':
      return a === b
    case 'LessThan':
      return a < b
    case 'LessThanEquals':
      return a <= b
    case 'GreaterThan':
      return a > b
    case 'GreaterThanEquals':
      return a >= b
    default:
      throw new Error(`no operator ${base}`)
  }
}

function arnsMatch(tokens: readonly Token[], value: string): boolean {
  const parts: Token[][] = [[]]
  for (const token of tokens) {
    if (token === ':' && parts.length < 6) parts.push([])
    else parts.at(-1)?.push(token)
  }
  const values = value.split(':')
  if (values.length < 6) return false
  const six = [...values.slice(0, 5), values.slice(5).join(':')]
  return parts.every((part, index) => globs(part, six[index] ?? ''))
}

function date(text: string): number {
  return /^[0-9]{5,}(\.[0-9]+)?$/.test(text) ? Number(text) * 1000 : new Date(text).getTime()
}

function isInRange(value: string, operand: string): boolean {
  const [base = '', length] = operand.split('/')
  const family = isIPv4(base) ? 'ipv4' : 'ipv6'
  if (!(family === 'ipv4' ? isIPv4(value) : isIPv6(value))) return false
  const list = new BlockList()
  list.addSubnet(base, Number(length ?? (family === 'ipv4' ? 32 : 128)), family)
  return list.check(value, family)
}

/** The values of a key, as the tables of AWS's documentation have them for each kind of caller. */
function valueOfKey(
  key: string,
  { caller, conditions }: PolicyRequest,
): string | readonly string[] | undefined {
  const lower = key.toLowerCase()
  const isService = caller.kind === 'service'
  const tag = /^aws:principaltag\/(.*)$/s.exec(lower)?.[1]
  if (tag !== undefined) {
    return [...(caller.tags ?? [])].find(([name]) => name.toLowerCase() === tag)?.[1]
  }
  switch (lower) {
    case 'aws:username':
      return caller.kind === 'user' ? caller.arn.split('/').at(-1) : undefined
    case 'aws:userid':
      return caller.principalId
    case 'aws:principalarn':
      return isService ? undefined : (caller.roleArn ?? caller.arn)
    case 'aws:principalaccount':
      return isService ? undefined : caller.account
    case 'aws:principaltype':
      return { root: 'Account', user: 'User', role: 'AssumedRole' }[caller.kind as string]
    case 'aws:principalisawsservice':
      return String(isService)
    case 'aws:principalservicename':
      return isService ? caller.arn : undefined
    case 'kms:calleraccount':
      return caller.account
    case 'aws:sourceaccount':
      return isService ? caller.account : undefined
    case 'aws:sourcearn':
      return caller.sourceArn
    default:
      return conditions.get(lower)
  }
}

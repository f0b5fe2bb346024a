/** The statements of a policy, made ready to be asked. */

import { type Condition, compileConditions, type Surroundings } from './conditions.ts'
import { type Element, membersOf, refusalAt, refuse, textOf, textsOf } from './elements.ts'
import { type Matcher, matcherOf, parseTemplate } from './patterns.ts'
import {
  isExcepted,
  type PrincipalIds,
  type PrincipalKind,
  type Principals,
  principalsOf,
  STANDING,
  type Standing,
  standing,
} from './principals.ts'
import type { PolicyRequest } from './request.ts'

/** To what a policy is attached. */
export type PolicyKind = 'key' | 'identity' | 'trust' | 'session' | 'boundary'

/** A statement. */
export interface Statement {
  readonly sid?: string
  /** 0 for the first one. */
  readonly index: number
  readonly effect: 'Allow' | 'Deny'
  /** Absent where the caller is the one to whom the policy is attached. */
  readonly principals?: Principals
  /** Whether they are those of a `NotPrincipal`. */
  readonly allBut?: boolean
  /** Whether it speaks of an action, in lower case. */
  readonly hasAction: (action: string) => boolean
  readonly hasResource: (request: PolicyRequest) => boolean
  readonly conditions: readonly Condition[]
}

/** What the statements of a policy share. */
export interface Dialect {
  readonly kind: PolicyKind
  /** Whether `${…}` is a variable. */
  readonly variables: boolean
}

const MEMBERS = [
  'Sid',
  'Effect',
  'Principal',
  'NotPrincipal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
]
const ACTION = /^(?:\*|[a-z0-9-]+):[a-z0-9*?]+$/
const IAM_SID = /^[A-Za-z0-9]*$/
const RESOURCE = /^arn:[^:]+:[^:]+:[^:]*:[^:]*:./s

/**
 * Whether a statement that speaks of the action applies to a request, and as what it names the
 * caller: `none` if it does not apply, `self` if it has no principals.
 */
export function applies(
  statement: Statement,
  request: PolicyRequest,
  ids: PrincipalIds = NO_IDS,
  bounded = false,
): Standing {
  const named = standingIn(statement, request, ids, bounded)
  if (named === STANDING.none || !statement.hasResource(request)) return STANDING.none
  for (const holds of statement.conditions) if (!holds(request)) return STANDING.none
  return named
}

const NO_IDS: PrincipalIds = new Map()

function standingIn(
  { principals, allBut, effect }: Statement,
  request: PolicyRequest,
  ids: PrincipalIds,
  bounded: boolean,
): Standing {
  if (principals === undefined) return STANDING.self
  if (!allBut) {
    // An allowance for everybody lets in nobody by a token; a denial keeps everybody out.
    const isEverybody = effect === 'Deny' && principals.everybody && request.provider !== undefined
    return isEverybody ? STANDING.self : standing(principals, request, ids)
  }
  // IAM leaves out nobody who has a permissions boundary.
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
  return !bounded && isExcepted(principals, request, ids) ? STANDING.none : STANDING.self
}

/**
 * Makes a statement ready.
 *
 * @throws KmsError MalformedPolicyDocumentException, with the place.
 */
export function compileStatement(element: Element, index: number, dialect: Dialect): Statement {
  const members = membersOf(element, MEMBERS)
  const effect = textOf(members.get('Effect') ?? refuse(element.place, 'has no Effect'))
  if (effect !== 'Allow' && effect !== 'Deny') {
    refuse(`${element.place}.Effect`, `"${effect}" is neither "Allow" nor "Deny"`)
  }
  const sid = members.get('Sid')
  const condition = members.get('Condition')
  const { kind, variables } = dialect
  const surroundings: Surroundings = { isKeyPolicy: kind === 'key', variables, effect }
  return {
    sid: sid && sidOf(sid, kind),
    index,
    effect,
    ...compilePrincipals(element, members, kind, effect),
    hasAction: compileActions(element, members, kind),
    hasResource: compileResources(element, members, dialect, effect),
    conditions: condition ? compileConditions(condition, surroundings) : [],
  }
}

type Members = ReadonlyMap<string, Element>

/** The one of two elements that a statement has, and whether it is the negated one. */
function oneOf(
  { place }: Element,
  members: Members,
  name: string,
  negated: string,
): { element: Element; negated: boolean } {
  const plain = members.get(name)
  const not = members.get(negated)
  if (plain && not) refuse(place, `has both ${name} and ${negated}`)
  const element = plain ?? not ?? refuse(place, `has no ${name}`)
  return { element, negated: not !== undefined }
}

function sidOf(element: Element, kind: PolicyKind): string {
  const sid = textOf(element)
  // Key policies allow what their text may hold, spaces too.
  // https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html
  if (kind !== 'key' && !IAM_SID.test(sid)) {
    refuse(element.place, 'may have letters and digits only')
  }
  return sid
}

function compilePrincipals(
  statement: Element,
  members: Members,
  kind: PolicyKind,
  effect: Statement['effect'],
): Pick<Statement, 'principals' | 'allBut'> {
  const isResourcePolicy = kind === 'key' || kind === 'trust'
  if (!isResourcePolicy) {
    for (const name of ['Principal', 'NotPrincipal']) {
      if (members.has(name)) refuse(statement.place, `may have no ${name} in such a policy`)
    }
    return {}
  }
  const { element, negated } = oneOf(statement, members, 'Principal', 'NotPrincipal')
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
  if (negated && kind === 'trust') refuse(element.place, 'has no place in a trust policy')
  if (negated && effect === 'Allow') refuse(element.place, 'may stand with "Deny" only')
  const named = namedIn(element, kind)
  const principals = principalsOf(named)
  if ('wrong' in principals) refuse(element.place, `"${principals.wrong}" is not a principal`)
  return { principals, allBut: negated }
}

function namedIn(element: Element, kind: PolicyKind): (readonly [PrincipalKind, string])[] {
  if (element.json.kind === 'text') {
    if (element.json.text !== '*') refuse(element.place, 'is neither "*" nor an object')
    return [['AWS', '*']]
  }
  const kinds: PrincipalKind[] =
    kind === 'trust' ? ['AWS', 'Service', 'Federated'] : ['AWS', 'Service']
  const members = membersOf(element, kinds)
  if (members.size === 0) refuse(element.place, 'is empty')
  return kinds.flatMap((each) => {
    const named = members.get(each)
    return named ? textsOf(named).map((text) => [each, text] as const) : []
  })
}

/** A statement of a key policy that names no action, or no resource. */
const NOTHING = () => false

function compileActions(
  statement: Element,
  members: Members,
  kind: PolicyKind,
): Statement['hasAction'] {
  const isNamed = members.has('Action') || members.has('NotAction')
  // As AWS has it: such a statement of a key policy is accepted and means nothing.
  // https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html
  if (kind === 'key' && !isNamed) return NOTHING
  const { element, negated } = oneOf(statement, members, 'Action', 'NotAction')
  const patterns: ((action: string) => boolean)[] = []
  let every = false
  for (const text of textsOf(element)) {
    const lower = text.toLowerCase()
    if (lower === '*') every = true
    else if (!ACTION.test(lower)) refuse(element.place, `"${text}" is not an action`)
    else patterns.push(actionPattern(lower, element))
  }
  const has = (action: string): boolean => every || patterns.some((fits) => fits(action))
  return negated ? (action) => !has(action) : has
}

function actionPattern(text: string, { place }: Element): (action: string) => boolean {
  const rules = { variables: false, wildcards: 'any', refuse: refusalAt(place) } as const
  const matches = matcherOf(parseTemplate(text, rules))
  return (action) => matches(action) === true
}

/** The resource of a policy that speaks of itself only. */
const EVERY_RESOURCE = () => true

function compileResources(
  statement: Element,
  members: Members,
  dialect: Dialect,
  effect: Statement['effect'],
): Statement['hasResource'] {
  const isNamed = members.has('Resource') || members.has('NotResource')
  if (dialect.kind === 'trust') {
    if (isNamed) refuse(statement.place, 'may have no Resource in a trust policy')
    return EVERY_RESOURCE
  }
  if (dialect.kind === 'key' && !isNamed) return NOTHING
  const { element, negated } = oneOf(statement, members, 'Resource', 'NotResource')
  const matchers = textsOf(element).map((text) => resourceMatcher(element, text, dialect))
  return negated ? isOutside(matchers, effect) : isAmong(matchers)
}

function resourceMatcher(element: Element, text: string, { variables }: Dialect): Matcher {
  if (text !== '*' && !RESOURCE.test(text)) refuse(element.place, `"${text}" is no ARN and not "*"`)
  const resourceAt = text.split(':', 5).join(':').length
  if (variables && text.slice(0, resourceAt).includes('${')) {
    refuse(element.place, `"${text}" has a variable before the fifth colon`)
  }
  const rules = { variables, wildcards: 'arn', refuse: refusalAt(element.place) } as const
  return matcherOf(parseTemplate(text, rules))
}

function isAmong(matchers: readonly Matcher[]): Statement['hasResource'] {
  return (request) => {
    for (const matches of matchers) if (matches(request.resource.arn, request)) return true
    return false
  }
}

/** Where a variable has no value, only a denial may rely on the resource not being named. */
function isOutside(
  matchers: readonly Matcher[],
  effect: Statement['effect'],
): Statement['hasResource'] {
  const whenUnknown = effect === 'Allow'
  return (request) => {
    for (const matches of matchers) {
      if (matches(request.resource.arn, request) ?? whenUnknown) return false
    }
    return true
  }
}

/**
 * Policies as documents: read once, checked whole and made ready to be asked.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */

import { fail } from '../model/failures.ts'
import { DOCUMENT, type Element, membersOf, refuse, textOf } from './elements.ts'
import { readJson } from './json.ts'
import { compileStatement, type Dialect, type PolicyKind, type Statement } from './statements.ts'

/** A policy, immutable: evaluate.ts asks it. */
export interface Policy {
  readonly kind: PolicyKind
  /** Those that deny, and those that allow, in the order of the document. */
  readonly denials: readonly Statement[]
  readonly allowances: readonly Statement[]
  /** The statements that speak of an action, in whatever case it is: found once. */
  readonly on: (action: string) => Relevant
}

/** Statements that speak of an action. */
export type Relevant = Pick<Policy, 'denials' | 'allowances'>

/**
 * The longest policies: a key policy in bytes; the others in characters, of which white space does
 * not count but in a session policy. The most that IAM lets anything have: users have less.
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
export const POLICY_SIZE_MAX: Readonly<Record<PolicyKind, number>> = {
  key: 32_768,
  identity: 10_240,
  trust: 4096,
  session: 2048,
  boundary: 6144,
}

/** The longest text that is looked at at all: what IAM's operations take. */
const TEXT_LENGTH_MAX = 131_072

/** What policies may be written in. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: tab, line feed and carriage return may.
const CHARACTERS = /^[\u0009\u000a\u000d\u0020-\u00ff]*$/

/**
 * Reads a policy.
 *
 * @throws KmsError MalformedPolicyDocumentException for everything that the language does not
 *   have, with the place (`Statement[2].Condition.StringEquals: …`); LimitExceededException if it
 *   is too long.
 */
export function compilePolicy(text: string, kind: PolicyKind): Policy {
  checkSize(text, kind)
  if (!CHARACTERS.test(text)) refuse(DOCUMENT, 'has characters that policies may not have')
  const members = membersOf({ place: DOCUMENT, json: readJson(text) }, [
    'Version',
    'Id',
    'Statement',
  ])
  const dialect = { kind, variables: hasVariables(members.get('Version')) }
  checkId(members.get('Id'), kind)
  const statements = statementsIn(members.get('Statement') ?? refuse(DOCUMENT, 'has no Statement'))
  const compiled = statements.map((each, index) => compileStatement(each, index, dialect))
  if (kind !== 'key') refuseEqualSids(compiled)
  return policyOf(kind, compiled)
}

/** The policy of some statements, compiled for its kind. */
export function policyOf(kind: PolicyKind, statements: readonly Statement[]): Policy {
  const denials = statements.filter(({ effect }) => effect === 'Deny')
  const allowances = statements.filter(({ effect }) => effect === 'Allow')
  return { kind, denials, allowances, on: relevantTo({ denials, allowances }) }
}

/**
 * Everybody whom the policy names in `Principal` and `NotPrincipal`, as written, each once: ARNs
 * of users, roles and sessions, unique ids, accounts as the ARNs of their roots, services and
 * identity providers. `*` is nobody in particular.
 */
export function principalsNamed({ denials, allowances }: Policy): readonly string[] {
  const named = new Set<string>()
  for (const { principals } of [...denials, ...allowances]) {
    if (!principals) continue
    for (const account of principals.accounts) named.add(`arn:aws:iam::${account}:root`)
    const { arns, uniqueIds, services, providers } = principals
    for (const each of [arns, uniqueIds, services, providers])
      for (const one of each) named.add(one)
  }
  return [...named]
}

/** The actions that are remembered of a policy: there are fewer, but anything may be asked. */
const ACTIONS_MAX = 256

function relevantTo({ denials, allowances }: Relevant): Policy['on'] {
  let known = new Map<string, Relevant>()
  return (action) => {
    const before = known.get(action)
    if (before) return before
    const lower = action.toLowerCase()
    const speaks = ({ hasAction }: Statement): boolean => hasAction(lower)
    const found = { denials: denials.filter(speaks), allowances: allowances.filter(speaks) }
    if (known.size >= ACTIONS_MAX) known = new Map()
    known.set(action, found)
    return found
  }
}

function checkSize(text: string, kind: PolicyKind): void {
  const max = POLICY_SIZE_MAX[kind]
  const size =
    kind === 'key'
      ? Buffer.byteLength(text)
      : kind === 'session'
        ? text.length
        : text.replaceAll(/[ \t\n\r]/g, '').length
  if (size <= max && text.length <= TEXT_LENGTH_MAX) return
  fail('LimitExceededException', `Cannot exceed quota for PolicySize: ${max}`)
}

function hasVariables(version: Element | undefined): Dialect['variables'] {
  if (!version) return false
  const text = textOf(version)
  if (text !== '2012-10-17' && text !== '2008-10-17') {
    refuse(version.place, `"${text}" is neither "2012-10-17" nor "2008-10-17"`)
  }
  return text === '2012-10-17'
}

function checkId(id: Element | undefined, kind: PolicyKind): void {
  if (!id) return
  if (kind !== 'key' && kind !== 'trust')
    refuse(DOCUMENT, 'may have no Id where no Principal may be')
  textOf(id)
}

function statementsIn({ place, json }: Element): readonly Element[] {
  if (json.kind !== 'list') return [{ place, json }]
  if (json.items.length === 0) refuse(place, 'is empty')
  return json.items.map((item, index) => ({ place: `${place}[${index}]`, json: item }))
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_sid.html */
function refuseEqualSids(statements: readonly Statement[]): void {
  const seen = new Set<string>()
  for (const { sid, index } of statements) {
    if (sid === undefined || sid === '') continue
    if (seen.has(sid)) refuse(`Statement[${index}].Sid`, `"${sid}" is there twice`)
    seen.add(sid)
  }
}

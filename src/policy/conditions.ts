/**
 * `Condition` elements, made ready to be asked: every operator and every key has to hold.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
 */

import { readerOfKey } from './condition-keys.ts'
import { type Element, membersOf, refusalAt, refuse, textsOf } from './elements.ts'
import type { Operator } from './operators/operator.ts'
import { operatorNamed } from './operators/table.ts'
import type { Matcher } from './patterns.ts'
import type { PolicyRequest, Reader } from './request.ts'

/** Whether a condition holds. */
export type Condition = (request: PolicyRequest) => boolean

/** What the conditions of a statement have to know of it. */
export interface Surroundings {
  readonly isKeyPolicy: boolean
  /** Whether `${…}` is a variable. */
  readonly variables: boolean
  readonly effect: 'Allow' | 'Deny'
}

/** An operator as a policy writes it: `ForAnyValue:StringLikeIfExists`. */
interface Written {
  readonly base: string
  readonly over?: (typeof SET_OPERATORS)[number]
  readonly ifExists: boolean
}

/**
 * Makes the conditions of a statement ready.
 *
 * @throws KmsError MalformedPolicyDocumentException, with the place.
 */
export function compileConditions(
  element: Element,
  surroundings: Surroundings,
): readonly Condition[] {
  return [...membersOf(element)].flatMap(([name, operands]) => {
    const written = writtenOperator(name)
    const operator = operatorNamed(written.base)
    const isNull = written.base === 'Null' && !written.over && !written.ifExists
    if (!operator && !isNull) refuse(element.place, `"${name}" is not an operator`)
    const keys = [...membersOf(operands)]
    if (keys.length === 0) refuse(operands.place, 'is empty')
    return keys.map(([key, values]) => {
      const read = readerOfKey(key) ?? refuse(operands.place, `"${key}" is not a condition key`)
      if (!operator) return compileNull(values, read)
      if (surroundings.isKeyPolicy) refuseOverlyPermissive(values, key, written)
      return compileCondition(values, { read, operator, written, surroundings })
    })
  })
}

const SET_OPERATORS = ['ForAllValues', 'ForAnyValue'] as const
const IF_EXISTS = 'IfExists'

function writtenOperator(name: string): Written {
  const over = SET_OPERATORS.find((each) => name.startsWith(`${each}:`))
  const single = over ? name.slice(over.length + 1) : name
  const ifExists = single.endsWith(IF_EXISTS)
  return { base: ifExists ? single.slice(0, -IF_EXISTS.length) : single, over, ifExists }
}

/**
 * Refuses what AWS refuses: it would match a request that does not have the pair or tag at all.
 * https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#set-operators
 */
function refuseOverlyPermissive({ place }: Element, key: string, { over }: Written): void {
  const name = key.toLowerCase()
  const isSingle = name.startsWith('kms:encryptioncontext:') || name.startsWith('aws:requesttag/')
  if (over !== 'ForAllValues' || !isSingle) return
  refuse(
    place,
    'OverlyPermissiveCondition: ForAllValues with a key that has one value matches requests ' +
      'without it too; to fix, remove ForAllValues',
  )
}

/** `Null`: whether there is no value. Neither an empty text nor an empty list is one. */
function compileNull(values: Element, read: Reader): Condition {
  const wanted = new Set(
    textsOf(values, true).map((text) => {
      const lower = text.toLowerCase()
      if (lower !== 'true' && lower !== 'false') refuse(values.place, `"${text}" is no boolean`)
      return lower === 'true'
    }),
  )
  return (request) => wanted.has(valuesOf(read(request), true).length === 0)
}

interface Parts {
  readonly read: Reader
  readonly operator: Operator
  readonly written: Written
  readonly surroundings: Surroundings
}

function compileCondition(
  element: Element,
  { read, operator, written, surroundings }: Parts,
): Condition {
  const { over, ifExists } = written
  const { variables, effect } = surroundings
  const matches = operator.compile(textsOf(element, true), {
    variables,
    refuse: refusalAt(element.place),
  })
  const holds = operator.negated ? negation(matches, effect) : affirmation(matches)
  // Where a key has several values and no set operator says how many of them matter, which AWS
  // leaves open, the safe reading is taken: all of them to allow, one of them to deny.
  const isForEvery = over === 'ForAllValues' || (over === undefined && effect === 'Allow')
  const whenMissing = ifExists || (over ? over === 'ForAllValues' : operator.negated)
  return (request) => {
    const found = read(request)
    // The usual case, without making a list.
    if (typeof found === 'string' && over === undefined) return holds(found, request)
    const values = valuesOf(found, over !== undefined)
    if (values.length === 0) return whenMissing
    return isForEvery
      ? values.every((value) => holds(value, request))
      : values.some((value) => holds(value, request))
  }
}

type Test = (value: string, request: PolicyRequest) => boolean

function affirmation(matches: Matcher): Test {
  return (value, request) => matches(value, request) === true
}

/** Where a variable has no value, only a denial may rely on nothing being equal to it. */
function negation(matches: Matcher, effect: Surroundings['effect']): Test {
  const whenUnknown = effect === 'Deny'
  return (value, request) => {
    const matched = matches(value, request)
    return matched === undefined ? whenUnknown : !matched
  }
}

/** The values of a key; sets of values know no difference between an empty text and none. */
function valuesOf(value: ReturnType<Reader>, emptyIsNone: boolean): readonly string[] {
  if (value === undefined) return []
  const values = typeof value === 'string' ? [value] : value
  return emptyIsNone && values.length === 1 && values[0] === '' ? [] : values
}

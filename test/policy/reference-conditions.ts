/** Conditions, for the naive evaluator: every value of the request against every one of the policy. */

import { BlockList, isIPv4, isIPv6 } from 'node:net'
import type { PolicyRequest } from '../../src/policy/request.ts'
import { globs, substitute, type Token, valueOfKey } from './reference-patterns.ts'

type Scalar = string | number | boolean

/** What a statement says of conditions. */
export interface Conditional {
  Effect: 'Allow' | 'Deny'
  Condition?: Record<string, Record<string, Scalar | Scalar[]>>
}

/** Whether the conditions of a statement hold. */
export function conditionsHold(
  { Condition = {}, Effect }: Conditional,
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

/**
 * The condition operators.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 */

import { inRange } from './address.ts'
import { likeArn } from './arn.ts'
import { compareDate } from './date.ts'
import { isBinary, isBoolean } from './exact.ts'
import { compareNumber } from './number.ts'
import type { Operator } from './operator.ts'
import { equalText, equalTextIgnoringCase, likeText } from './text.ts'

const is = (compile: Operator['compile']): Operator => ({ negated: false, compile })
const isNot = (compile: Operator['compile']): Operator => ({ negated: true, compile })

/** The table of operators, by the names that policies use; `Null` is none of them. */
const OPERATORS: ReadonlyMap<string, Operator> = new Map([
  ['StringEquals', is(equalText)],
  ['StringNotEquals', isNot(equalText)],
  ['StringEqualsIgnoreCase', is(equalTextIgnoringCase)],
  ['StringNotEqualsIgnoreCase', isNot(equalTextIgnoringCase)],
  ['StringLike', is(likeText)],
  ['StringNotLike', isNot(likeText)],
  ['NumericEquals', is(compareNumber((a, b) => a === b))],
  ['NumericNotEquals', isNot(compareNumber((a, b) => a === b))],
  ['NumericLessThan', is(compareNumber((a, b) => a < b))],
  ['NumericLessThanEquals', is(compareNumber((a, b) => a <= b))],
  ['NumericGreaterThan', is(compareNumber((a, b) => a > b))],
  ['NumericGreaterThanEquals', is(compareNumber((a, b) => a >= b))],
  ['DateEquals', is(compareDate((a, b) => a === b))],
  ['DateNotEquals', isNot(compareDate((a, b) => a === b))],
  ['DateLessThan', is(compareDate((a, b) => a < b))],
  ['DateLessThanEquals', is(compareDate((a, b) => a <= b))],
  ['DateGreaterThan', is(compareDate((a, b) => a > b))],
  ['DateGreaterThanEquals', is(compareDate((a, b) => a >= b))],
  ['Bool', is(isBoolean)],
  ['BinaryEquals', is(isBinary)],
  ['IpAddress', is(inRange)],
  ['NotIpAddress', isNot(inRange)],
  ['ArnEquals', is(likeArn)],
  ['ArnLike', is(likeArn)],
  ['ArnNotEquals', isNot(likeArn)],
  ['ArnNotLike', isNot(likeArn)],
])

/** The operator of a name, whose case matters; if there is one. */
export function operatorNamed(name: string): Operator | undefined {
  return OPERATORS.get(name)
}

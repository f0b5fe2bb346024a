/** What a condition operator is, but for set operators, `IfExists` and missing values. */

import type { Matcher } from '../patterns.ts'

/** How the values of a condition are read. */
export interface OperandRules {
  /** Whether `${…}` is a variable, for the operators that have them. */
  readonly variables: boolean
  /** Refuses the policy for what is wrong with a value. */
  readonly refuse: (what: string) => never
}

/** A condition operator. */
export interface Operator {
  /** Whether it holds for what it does not match: `StringNotEquals`. */
  readonly negated: boolean
  /** Makes the test whether a value of a request matches one of the values of the policy. */
  readonly compile: (texts: readonly string[], rules: OperandRules) => Matcher
}

/** Matches what one of the matchers does; nothing can be said if only an unknown one might. */
export function anyOf(matchers: readonly Matcher[]): Matcher {
  const [only] = matchers
  if (only && matchers.length === 1) return only
  return (value, request) => {
    let unknown = false
    for (const matches of matchers) {
      const matched = matches(value, request)
      if (matched) return true
      if (matched === undefined) unknown = true
    }
    return unknown ? undefined : false
  }
}

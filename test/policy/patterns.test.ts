/** Patterns against the naive way to match them: a `*` for every possible length. */

import { expect, test } from 'vitest'
import { matcherOf, parseTemplate } from '../../src/policy/patterns.ts'
import { choicesOf } from './cases.ts'
import { globs, globsArn } from './reference-patterns.ts'

const refuse = (what: string): never => {
  throw new Error(what)
}

test.each([
  ['any', globs],
  ['arn', globsArn],
] as const)('C2: 20,000 short patterns, wildcards: %s', (wildcards, matches) => {
  const seen = { true: 0, false: 0 }
  for (let seed = 0; seed < 20_000; seed += 1) {
    const { below, pick } = choicesOf(seed)
    const text = (units: readonly string[], length: number) =>
      Array.from({ length: below(length) }, () => pick(units)).join('')
    const pattern = text(['a', 'b', ':', '*', '*', '?'], 8)
    const value = text(['a', 'b', ':'], 9)
    const expected = matches([...pattern], value)
    const matcher = matcherOf(parseTemplate(pattern, { variables: false, wildcards, refuse }))
    seen[`${expected}`] += 1
    expect([pattern, value, matcher(value)]).toEqual([pattern, value, expected])
  }
  expect(Math.min(seen.true, seen.false)).toBeGreaterThan(2000)
})

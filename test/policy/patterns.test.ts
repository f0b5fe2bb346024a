/** Patterns against the naive way to match them: a `*` for every possible length. */

import { expect, test } from 'vitest'
import { fits } from '../../src/policy/patterns/units.ts'
import { matcherOf, parseTemplate } from '../../src/policy/patterns.ts'
import type { PolicyRequest } from '../../src/policy/request.ts'
import { caller } from './ask.ts'
import { choicesOf } from './cases.ts'
import { globs, globsArn } from './reference-patterns.ts'
import { A, KEY } from './world.ts'

const refuse = (what: string): never => {
  throw new Error(what)
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the policy language.
const ANY = '${kms:any}'

/** A request in which the variable has a value. */
function requestWith(value: string): PolicyRequest {
  return {
    caller: caller.alice,
    action: 'kms:Encrypt',
    resource: { arn: KEY, account: A },
    conditions: new Map([['kms:any', value]]),
    grantable: false,
  }
}

/** The units of a pattern without variables. */
function unitsOf(pattern: string, wildcards: 'any' | 'arn'): number[] {
  return parseTemplate(pattern, { variables: false, wildcards, refuse }).pieces.flatMap((piece) => {
    if (typeof piece === 'object') throw new Error('a variable')
    return typeof piece === 'number' ? piece : [...piece].map((each) => each.charCodeAt(0))
  })
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
    // Without any patience all ways are followed at once.
    const atOnce = fits(unitsOf(pattern, wildcards), value, 0, 0)
    expect([pattern, value, atOnce]).toEqual([pattern, value, expected])
  }
  expect(Math.min(seen.true, seen.false)).toBeGreaterThan(2000)
})

test.each(['any', 'arn'] as const)(
  'rows of more units than a word has bits get the same answer both ways, wildcards: %s',
  (wildcards) => {
    const seen = { true: 0, false: 0 }
    for (let seed = 0; seed < 4000; seed += 1) {
      const { below, pick } = choicesOf(seed)
      let pattern = ''
      let value = ''
      // Each piece of the pattern with what fits it, most of the time.
      for (let left = 1 + below(90); left > 0; left -= 1) {
        const [part, fitting] = pick([
          ['a', 'a'],
          ['b', 'b'],
          ['b', 'b'],
          ['ab', 'ab'],
          ['?', pick(['a', 'b'])],
          ['?', wildcards === 'any' ? ':' : 'b'],
          [':', ':'],
          ['*', pick(['', 'a', 'abab', wildcards === 'any' ? 'a:b' : 'bbb'])],
          ['*:', pick([':', 'a:', 'b:a:'])],
        ] as const)
        pattern += part
        value += fitting
      }
      if (below(4) === 0) value = value.slice(0, -1 - below(3))
      const units = unitsOf(pattern, wildcards)
      const from = below(4) === 0 ? 1 : 0
      const patient = fits(units, value, from, Number.POSITIVE_INFINITY)
      seen[`${patient}`] += 1
      expect([seed, fits(units, value, from, 0)]).toEqual([seed, patient])
      expect([seed, fits(units, value, from)]).toEqual([seed, patient])
    }
    expect(Math.min(seen.true, seen.false)).toBeGreaterThan(400)
  },
)

test('no character of a value is a wildcard', () => {
  const value = '\u0001\u0002\u0003\u0004*?'
  const rules = { variables: true, wildcards: 'arn', refuse } as const
  const matches = matcherOf(parseTemplate(`?${ANY}?*b`, rules))
  const request = requestWith(value)
  expect(matches(`a${value}ab`, request)).toBe(true)
  for (const [at] of [...value].entries()) {
    const other = `${value.slice(0, at)}a${value.slice(at + 1)}`
    expect(matches(`a${other}ab`, request)).toBe(false)
  }
})

const a = (length: number): string => 'a'.repeat(length)

test('long texts between asterisks are found wherever they are', () => {
  const matcher = (pattern: string) =>
    matcherOf(parseTemplate(pattern, { variables: false, wildcards: 'any', refuse }))
  for (const length of [127, 128, 129, 300]) {
    const text = `${a(length - 1)}b`
    const matches = matcher(`c*${text}*${text}*d`)
    expect(matches(`c${text}${text}d`)).toBe(true)
    expect(matches(`c${a(9)}${text}x${a(9)}${text}xd`)).toBe(true)
    expect(matches(`c${a(length)}${text}d`)).toBe(false)
    expect(matches(`c${text}${text}`)).toBe(false)
    expect(matches(`${text}${text}d`)).toBe(false)
    expect(matcher(`*${text}*`)(`${a(500)}b${a(500)}`)).toBe(true)
    expect(matcher(`*${text}*`)(a(1000))).toBe(false)
  }
})

/** Longer than any value may be: tried one by one, the ways would take many times as long. */
const PATTERN = 16_384
const VALUE = 65_536

test.each([
  ['a text behind a question mark', `*?${a(PATTERN)}b*`, a(VALUE)],
  ['a question mark in a text', `*${a(PATTERN / 2)}?${a(PATTERN / 2)}b*`, a(VALUE)],
  ['a long text', `*${a(PATTERN / 2)}b${a(PATTERN / 2)}*`, a(VALUE)],
  ['a value that is there many times', `*?${ANY}b*`, a(VALUE)],
  ['many values that are', `*?${`${ANY}?`.repeat(3000)}b*`, a(VALUE)],
])('%s is quickly looked for', (_what, pattern, value) => {
  const rules = { variables: true, wildcards: 'any', refuse } as const
  const matches = matcherOf(parseTemplate(pattern, rules))
  const request = requestWith(a(PATTERN))
  const began = performance.now()
  expect(matches(value, request)).toBe(false)
  expect(performance.now() - began).toBeLessThan(3000)
})

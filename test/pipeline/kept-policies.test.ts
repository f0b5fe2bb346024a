/** Compiled policies in memory: bounded by what they take, whatever their number. */

import { expect, test } from 'vitest'
import { compiledPolicy } from '../../src/pipeline/evidence/policies.ts'
import type { PolicyKind } from '../../src/policy/statements.ts'
import { policyText } from '../operations/installation.ts'

/** A policy of so many statements, as short as they can be, which is no other's. */
function policyOf(kind: PolicyKind, statements: number, number: number): string {
  const statement = {
    Effect: 'Allow',
    ...(kind === 'key' && { Principal: '*' }),
    Action: `kms:E${number}`,
    Resource: '*',
  }
  return policyText(Array.from({ length: statements }, () => statement))
}

/** How many of some texts are kept, asked from the last one on. */
function keptOf(kind: PolicyKind, texts: readonly string[]): number {
  const compiled = texts.map((text) => compiledPolicy(text, kind))
  const again = texts.toReversed().map((text) => compiledPolicy(text, kind))
  return again.filter((policy, at) => policy === compiled.at(-1 - at)).length
}

test.each([
  ['key', 400, 80, 50],
  ['session', 25, 1200, 1000],
] as const)('%s policies of %i statements are kept while they take little', (...of) => {
  const [kind, statements, number, most] = of
  const texts = Array.from({ length: number }, (_, at) => policyOf(kind, statements, at))
  const kept = keptOf(kind, texts)
  expect(kept).toBeGreaterThan(most / 10)
  expect(kept).toBeLessThan(most)
  // What is asked again and again stays, whatever else is asked.
  const usual = policyOf(kind, 1, number)
  const policy = compiledPolicy(usual, kind)
  for (const text of texts) {
    compiledPolicy(text, kind)
    expect(compiledPolicy(usual, kind)).toBe(policy)
  }
})

test('thousands of usual policies are kept', () => {
  const texts = Array.from({ length: 4000 }, (_, at) => policyOf('boundary', 2, at))
  expect(keptOf('boundary', texts)).toBe(texts.length)
})

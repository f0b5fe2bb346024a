/**
 * The evaluator against the naive one of reference.ts: every generated question has to get the
 * same answer. KEYSLOT_POLICY_CASES asks more of them than the 100,000 of a usual run, and
 * KEYSLOT_POLICY_SEED others.
 */

import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { evaluate } from '../../src/policy/evaluate.ts'
import { choicesOf, evidence, request } from './cases.ts'
import { compiled } from './compiled.ts'
import { type Verdict, verdict } from './reference.ts'

const CASES = Number(process.env.KEYSLOT_POLICY_CASES ?? 100_000)
const SEED = Number(process.env.KEYSLOT_POLICY_SEED ?? Date.now() % 2 ** 31)
const REQUESTS = 20

test(`C1: ${CASES} generated cases from seed ${SEED} get the same answer from both evaluators`, () => {
  const counts: Record<Verdict, number> = { allow: 0, 'explicit-deny': 0, 'implicit-deny': 0 }
  for (let seed = SEED; seed < SEED + CASES / REQUESTS; seed += 1) {
    const choices = choicesOf(seed)
    const texts = evidence(choices)
    const ready = compiled(texts)
    for (let index = 0; index < REQUESTS; index += 1) {
      const asked = request(choices)
      const decision = evaluate(asked, ready)
      const expected = verdict(asked, texts)
      counts[expected] += 1
      if (decision.reason === expected && decision.allowed === (expected === 'allow')) continue
      throw new Error(inspect({ seed, expected, decision, asked, texts }, { depth: 9 }))
    }
  }
  // Were nearly all of them refused, agreement would say little.
  for (const count of Object.values(counts)) expect(count).toBeGreaterThan(CASES / 10)
}, 3_600_000)

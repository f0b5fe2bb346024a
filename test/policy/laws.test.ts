/**
 * Laws that hold whatever the policies say, over generated ones. KEYSLOT_POLICY_CASES asks more of
 * each than the 20,000 of a usual run, and KEYSLOT_POLICY_SEED others.
 */

import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { KmsError } from '../../src/model/failures.ts'
import { compilePolicy } from '../../src/policy/document.ts'
import { evaluate } from '../../src/policy/evaluate.ts'
import type { PolicyRequest } from '../../src/policy/request.ts'
import { casesOf, choicesOf, evidence, request } from './cases.ts'
import { compiled } from './compiled.ts'
import type { EvidenceTexts } from './reference.ts'
import { renamed } from './renaming.ts'

const CASES = Number(process.env.KEYSLOT_POLICY_CASES ?? 20_000)
const SEED = Number(process.env.KEYSLOT_POLICY_SEED ?? Date.now() % 2 ** 31)
const REQUESTS = 20
const TIMEOUT_MS = 3_600_000

interface Document {
  readonly Version?: string
  readonly Statement: readonly { readonly Effect: string }[]
}

/** A case: what is asked, and of what. */
interface Case {
  readonly asked: PolicyRequest
  readonly texts: EvidenceTexts
}

/** The same evidence with every policy changed. */
function withEach(texts: EvidenceTexts, change: (document: Document) => Document): EvidenceTexts {
  const again = (text: string): string => {
    const { Version, Statement } = JSON.parse(text)
    return JSON.stringify(change({ Version, Statement: [Statement].flat() }))
  }
  const { resourcePolicy, identityPolicies, boundary, sessionPolicies, grants } = texts
  return {
    resourcePolicy: resourcePolicy && { ...resourcePolicy, text: again(resourcePolicy.text) },
    identityPolicies: identityPolicies.map(again),
    boundary: boundary === undefined ? undefined : again(boundary),
    sessionPolicies: sessionPolicies.map(again),
    grants,
  }
}

/** Expects that a change of the case keeps what it should of the reason for the decision. */
function expectKept(
  change: { texts: (texts: EvidenceTexts) => EvidenceTexts; asked?: <T>(asked: T) => T },
  keeps: (before: string, after: string) => boolean,
): void {
  const seen = new Set<string>()
  for (let seed = SEED; seed < SEED + CASES / REQUESTS; seed += 1) {
    const choices = choicesOf(seed)
    const texts = evidence(choices)
    const other = change.texts(texts)
    const [ready, readyOther] = [compiled(texts), compiled(other)]
    for (let index = 0; index < REQUESTS; index += 1) {
      const asked = request(choices)
      const before = evaluate(asked, ready).reason
      const after = evaluate(change.asked ? change.asked(asked) : asked, readyOther).reason
      seen.add(`${before} ${after}`)
      if (keeps(before, after)) continue
      const found: Case & object = { asked, texts }
      throw new Error(inspect({ seed, before, after, ...found, other }, { depth: 9 }))
    }
  }
  // Every decision was among them.
  expect(seen.size).toBeGreaterThan(2)
}

const neverWider = (before: string, after: string) => after !== 'allow' || before === 'allow'
const same = (before: string, after: string) => before === after
const nothing = { Effect: 'Allow', Principal: '*', Action: 'none:None', Resource: '*' }

describe(`C3: over ${CASES} cases from seed ${SEED}`, () => {
  test('the order of statements does not matter', { timeout: TIMEOUT_MS }, () => {
    const reversed = (document: Document) => ({
      ...document,
      Statement: document.Statement.toReversed(),
    })
    expectKept({ texts: (texts) => withEach(texts, reversed) }, same)
  })

  test('one denial more never widens', { timeout: TIMEOUT_MS }, () => {
    const denial = (document: Document) => ({
      ...document,
      Statement: [
        ...document.Statement,
        { ...document.Statement[0], Condition: undefined, Effect: 'Deny' },
      ],
    })
    expectKept({ texts: (texts) => withEach(texts, denial) }, neverWider)
  })

  test('one allowance less never widens', { timeout: TIMEOUT_MS }, () => {
    const less = (document: Document) => {
      const at = document.Statement.findIndex(({ Effect }) => Effect === 'Allow')
      const isOfKey = document.Statement.some(isOfResource)
      const { Principal, ...own } = nothing
      const rest = document.Statement.filter((_, index) => index !== at)
      return { ...document, Statement: rest.length > 0 ? rest : [isOfKey ? nothing : own] }
    }
    expectKept({ texts: (texts) => withEach(texts, less) }, neverWider)
  })

  test('one grant less never widens', { timeout: TIMEOUT_MS }, () => {
    const less = (texts: EvidenceTexts) => ({ ...texts, grants: texts.grants.slice(1) })
    expectKept({ texts: less }, neverWider)
  })

  test('other names, the same everywhere, change nothing', { timeout: TIMEOUT_MS }, () => {
    expectKept({ texts: renamed, asked: renamed }, same)
  })
})

describe('C3: a policy is refused whole, and so allows nothing,', () => {
  test.each([
    ['that is cut off', (text: string) => text.slice(0, -1)],
    ['of another version', (text: string) => again(text, { Version: '2013-10-17' })],
    ['with an unknown operator', withCondition('StringEqualsNot')],
    ['with an operator in other case', withCondition('stringequals')],
    ['with an unknown member', (text: string) => text.replace('"Effect"', '"Extra":1,"Effect"')],
  ])('%s', (_, spoilt) => {
    for (let seed = 0; seed < casesOf(200); seed += 1) {
      const { resourcePolicy, identityPolicies } = evidence(choicesOf(seed))
      const texts = [...(resourcePolicy ? [resourcePolicy.text] : []), ...identityPolicies]
      for (const [index, text] of texts.entries()) {
        const kind = resourcePolicy && index === 0 ? 'key' : 'identity'
        expect(compiles(text, kind)).toBe(true)
        expect(compiles(spoilt(text), kind)).toBe(false)
      }
    }
  })
})

/** A condition more, on the first statement. */
function withCondition(operator: string): (text: string) => string {
  return (text) => {
    const document = JSON.parse(text)
    const [first, ...others] = [document.Statement].flat()
    const Condition = { ...first.Condition, [operator]: { 'aws:username': 'alice' } }
    return again(text, { Statement: [{ ...first, Condition }, ...others] })
  }
}

/** A document with some of its members replaced. */
function again(text: string, members: object): string {
  return JSON.stringify({ ...JSON.parse(text), ...members })
}

function compiles(text: string, kind: 'key' | 'identity'): boolean {
  try {
    compilePolicy(text, kind)
    return true
  } catch (error) {
    if (error instanceof KmsError) return false
    throw error
  }
}

function isOfResource(statement: object): boolean {
  return 'Principal' in statement || 'NotPrincipal' in statement
}

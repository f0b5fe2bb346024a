/** Laws that hold whatever the policies say, over generated ones. */

import { expect, test } from 'vitest'
import { compilePolicy } from '../../src/policy/document.ts'
import { evaluate } from '../../src/policy/evaluate.ts'
import type { PolicyRequest } from '../../src/policy/request.ts'
import { choicesOf, evidence, request } from './cases.ts'
import type { EvidenceTexts } from './reference.ts'

const CASES = 1500

interface Document {
  readonly Version?: string
  readonly Statement: readonly { readonly Effect: string }[]
}

/** The same evidence with every policy changed. */
function changed(texts: EvidenceTexts, change: (document: Document) => Document): EvidenceTexts {
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

function reason(asked: PolicyRequest, texts: EvidenceTexts): string {
  const { resourcePolicy: own, identityPolicies, boundary, sessionPolicies, grants } = texts
  return evaluate(asked, {
    resourcePolicy: own && {
      policy: compilePolicy(own.text, 'key'),
      principalIds: own.principalIds,
    },
    identityPolicies: identityPolicies.map((text) => ({
      name: 'own',
      policy: compilePolicy(text, 'identity'),
    })),
    boundary: boundary === undefined ? undefined : compilePolicy(boundary, 'boundary'),
    sessionPolicies: sessionPolicies.map((text) => compilePolicy(text, 'session')),
    grants,
  }).reason
}

/** Cases in which a change did not keep what it should. */
function broken(
  change: (document: Document) => Document,
  keeps: (before: string, after: string) => boolean,
): unknown[] {
  const found: unknown[] = []
  for (let seed = 1; seed <= CASES; seed += 1) {
    const choices = choicesOf(seed)
    const texts = evidence(choices)
    const asked = request(choices)
    const [before, after] = [reason(asked, texts), reason(asked, changed(texts, change))]
    if (!keeps(before, after)) found.push({ seed, before, after })
  }
  return found
}

const neverWider = (before: string, after: string) => after !== 'allow' || before === 'allow'
const nothing = { Effect: 'Allow', Principal: '*', Action: 'none:None', Resource: '*' }

test('the order of statements does not matter', () => {
  const reversed = (document: Document) => ({
    ...document,
    Statement: document.Statement.toReversed(),
  })
  expect(broken(reversed, (before, after) => before === after)).toEqual([])
})

test('one denial more never widens', () => {
  const denial = (document: Document) => ({
    ...document,
    Statement: [
      ...document.Statement,
      { ...document.Statement[0], Condition: undefined, Effect: 'Deny' },
    ],
  })
  expect(broken(denial, neverWider)).toEqual([])
})

test('one allowance less never widens', () => {
  const less = (document: Document) => {
    const at = document.Statement.findIndex(({ Effect }) => Effect === 'Allow')
    const isOfKey = 'Principal' in (document.Statement[0] ?? {})
    const { Principal, ...own } = nothing
    const rest = document.Statement.filter((_, index) => index !== at)
    return { ...document, Statement: rest.length > 0 ? rest : [isOfKey ? nothing : own] }
  }
  expect(broken(less, neverWider)).toEqual([])
})

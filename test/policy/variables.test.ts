/** Policy variables: what they stand for, and that a value is never a pattern. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compilePolicy } from '../../src/policy/document.ts'
import { allow, allows, caller, deny } from './ask.ts'
import { casesOf } from './cases.ts'
import { A, ALICE } from './world.ts'

const ROOT = { AWS: `arn:aws:iam::${A}:root` }

/** Whether a text of a condition matches a value, for a caller. */
function matches(
  operator: string,
  text: string,
  value: string,
  { who = caller.alice, effect = 'Allow' } = {},
): boolean {
  const Condition = { [operator]: { 'kms:Any': text } }
  const asked = { caller: who, conditions: new Map([['kms:any', value]]) }
  const statement = { ...allow({ Principal: '*', Condition }), Effect: effect }
  if (effect === 'Allow') return allows({ key: [statement] }, asked)
  return !allows({ key: [allow({ Principal: '*' }), statement] }, asked)
}

describe('C2: variables in conditions', () => {
  test.each([
    ['StringEquals', `\${aws:username}`, 'alice', true],
    ['StringEquals', `\${AWS:UserName}`, 'alice', true],
    ['StringEquals', `\${ aws:username }`, 'alice', true],
    ['StringEquals', `\${aws:username}`, `\${aws:username}`, false],
    ['StringEquals', `<\${aws:username}|\${aws:PrincipalTag/team}>`, '<alice|red>', true],
    ['StringEquals', `\${aws:PrincipalTag/none, 'a b'}`, 'a b', true],
    ['StringEquals', `\${aws:PrincipalTag/none,'x'}`, 'x', true],
    ['StringEquals', `\${aws:PrincipalTag/none, ''}`, '', true],
    ['StringEquals', `\${aws:PrincipalTag/none, 'a,b'}`, 'a,b', true],
    ['StringEquals', `\${aws:PrincipalTag/none , 'x' }`, 'x', true],
    ['StringEquals', `\${aws:PrincipalTag/team, 'x'}`, 'red', true],
    ['StringEquals', `\${aws:PrincipalTag/none}`, '', false],
    ['StringEquals', `\${aws:PrincipalTag/none}`, `\${aws:PrincipalTag/none}`, false],
    ['StringEquals', `\${*}\${?}\${$}`, '*?$', true],
    ['StringEqualsIgnoreCase', `A\${*}`, 'a*', true],
    ['StringLike', `\${*}`, 'x', false],
    ['StringLike', `\${*}`, '*', true],
    ['StringLike', `\${?}`, 'x', false],
    ['StringLike', `\${$}{*}`, `\${anything}`, true],
    ['StringLike', `$*`, '$x', true],
    ['StringLike', `\${aws:PrincipalTag/odd}`, 'x', false],
    ['StringLike', `\${aws:PrincipalTag/odd}*`, '*x', true],
    ['StringLike', `\${aws:PrincipalTag/odd}*`, 'x', false],
    ['StringEqualsIgnoreCase', `\${aws:username}`, 'ALICE', true],
    ['ArnLike', `arn:aws:iam::${A}:user/\${aws:username}`, ALICE, true],
    ['ArnLike', `arn:aws:iam::${A}:user/\${aws:username}`, `${ALICE}x`, false],
    ['ArnLike', `arn:aws:iam::${A}:user/\${aws:PrincipalTag/odd}`, ALICE, false],
    ['ArnLike', `arn:aws:iam::${A}:user/\${aws:PrincipalTag/none}`, ALICE, false],
  ])('%s %s matches %s: %s', (operator, text, value, expected) => {
    expect(matches(operator, text, value)).toBe(expected)
  })

  test('without a value nothing equals them, on which only a denial may rely', () => {
    const text = `\${aws:username}`
    const who = caller.one
    for (const operator of ['StringEquals', 'StringLike', 'StringEqualsIgnoreCase']) {
      expect(matches(operator, text, 'x', { who })).toBe(false)
      expect(matches(operator, text, 'x', { who, effect: 'Deny' })).toBe(false)
      const not = operator.replace('String', 'StringNot')
      expect(matches(not, text, 'x', { who })).toBe(false)
      expect(matches(not, text, 'x', { who, effect: 'Deny' })).toBe(true)
    }
    expect(matches('ArnNotLike', `arn:aws:iam::${A}:user/${text}`, ALICE, { who })).toBe(false)
    // Though another part of the ARN differs, and though it is none.
    for (const value of ['arn:aws:kms:eu:1:key/x', 'none']) {
      const pattern = `arn:aws:iam::${A}:user/${text}`
      expect(matches('ArnNotLike', pattern, value, { who })).toBe(false)
      expect(matches('ArnNotLike', pattern, value)).toBe(true)
    }
    const denied = { who, effect: 'Deny' }
    expect(matches('ArnNotLike', `arn:aws:iam::${A}:user/${text}`, ALICE, denied)).toBe(true)
  })

  test('other texts beside them still count', () => {
    const Condition = { StringEquals: { 'kms:Any': [`\${aws:username}`, 'x'] } }
    const asked = { caller: caller.one, conditions: new Map([['kms:any', 'x']]) }
    expect(allows({ key: [allow({ Principal: '*', Condition })] }, asked)).toBe(true)
  })

  test('beside other texts that do not match, without a value nothing is known', () => {
    const Condition = { StringNotEquals: { 'kms:Any': [`\${aws:username}`, 'x'] } }
    const allowance = allow({ Principal: '*', Condition })
    const denial = deny({ Principal: '*', Condition })
    const asked = (value: string) => ({
      caller: caller.one,
      conditions: new Map([['kms:any', value]]),
    })
    expect(allows({ key: [allowance] }, asked('y'))).toBe(false)
    expect(allows({ key: [allow({ Principal: '*' }), denial] }, asked('y'))).toBe(false)
    expect(allows({ key: [allow({ Principal: '*' }), denial] }, asked('x'))).toBe(true)
    expect(allows({ key: [allowance] }, { ...asked('y'), caller: caller.alice })).toBe(true)
  })

  test('a key with several values is none, not even by its default', () => {
    const conditions = new Map<string, string | string[]>([
      ['kms:any', 'x'],
      ['aws:tagkeys', ['x']],
    ])
    for (const text of [`\${aws:TagKeys}`, `\${aws:TagKeys, 'x'}`]) {
      const Condition = { StringEquals: { 'kms:Any': text } }
      expect(allows({ key: [allow({ Principal: '*', Condition })] }, { conditions })).toBe(false)
    }
  })
})

describe('C2: variables in resources', () => {
  const alias = (name: string) => ({
    resource: { arn: `arn:aws:kms:eu-central-1:${A}:alias/${name}`, account: A },
  })
  const on = (rest: object) => ({
    key: [allow({ Principal: ROOT })],
    identity: [allow({ ...rest })],
  })
  const own = { Resource: `arn:aws:kms:*:${A}:alias/\${aws:username}/*` }

  test('stand for the value', () => {
    expect(allows(on(own), alias('alice/x'))).toBe(true)
    expect(allows(on(own), alias('bob/x'))).toBe(false)
    expect(allows(on(own), { ...alias('bob/x'), caller: caller.bob })).toBe(true)
    expect(allows(on(own), { ...alias('alice/x'), caller: caller.one })).toBe(false)
  })

  test('without a value, only a denial may rely on the resource not being named', () => {
    const not = { Resource: undefined, NotResource: own.Resource }
    const asked = { ...alias('x'), caller: caller.one }
    expect(allows(on(not), { ...alias('x') })).toBe(true)
    expect(allows(on(not), asked)).toBe(false)
    const denied = { ...on({}), identity: [allow(), deny(not)] }
    expect(allows(denied, asked)).toBe(false)
    expect(allows({ ...on({}), identity: [allow()] }, asked)).toBe(true)
  })

  test('are text in the older version of the language', () => {
    const Statement = { ...allow(own), Resource: `arn:aws:kms:*:${A}:alias/\${aws:username}` }
    for (const [Version, expected] of [
      ['2012-10-17', ['alice']],
      ['2008-10-17', [`\${aws:username}`]],
      [undefined, [`\${aws:username}`]],
    ] as const) {
      const policy = compilePolicy(JSON.stringify({ Version, Statement }), 'identity')
      const [statement] = policy.allowances
      const found = ['alice', 'bob', `\${aws:username}`].filter((name) =>
        statement?.hasResource({
          caller: caller.alice,
          action: 'kms:Encrypt',
          ...alias(name),
          conditions: new Map(),
          grantable: false,
        }),
      )
      expect(found).toEqual(expected)
    }
  })
})

test('P3: nor is a value of characters that no policy may have', () => {
  for (const tag of ['\u0001', '\u0002', '\u0003', '\u0004', '\u0005', '\uffff', '\uffff\ufffe']) {
    const who = { ...caller.alice, tags: new Map([['t', tag]]) }
    for (const value of ['', 'x', 'xy', tag]) {
      expect(matches('StringLike', `\${aws:PrincipalTag/t}`, value, { who })).toBe(value === tag)
    }
    const Resource = `arn:aws:kms:*:${A}:alias/\${aws:PrincipalTag/t}`
    const said = { key: [allow({ Principal: ROOT })], identity: [allow({ Resource })] }
    for (const value of ['', 'x', 'xy', tag]) {
      const resource = { arn: `arn:aws:kms:eu-central-1:${A}:alias/${value}`, account: A }
      expect(allows(said, { caller: who, resource })).toBe(value === tag)
    }
  }
})

test('P3: a value is never a pattern: 10,000 of them match themselves only', () => {
  const odd = fc.string({
    unit: fc.constantFrom('*', '?', '/', ':', '$', '{', '}', 'a', 'b'),
    maxLength: 6,
  })
  const asker = (tag: string) => ({ ...caller.alice, tags: new Map([['t', tag]]) })
  fc.assert(
    fc.property(odd, odd, (tag, value) => {
      const who = asker(tag)
      for (const operator of ['StringEquals', 'StringLike']) {
        expect(matches(operator, `\${aws:PrincipalTag/t}`, value, { who })).toBe(tag === value)
      }
      const arn = `arn:aws:kms:eu-central-1:${A}:alias/${value}`
      const resource = { arn, account: A }
      const said = {
        key: [allow({ Principal: ROOT })],
        identity: [allow({ Resource: `arn:aws:kms:*:${A}:alias/\${aws:PrincipalTag/t}` })],
      }
      expect(allows(said, { caller: who, resource })).toBe(tag === value)
      const Condition = {
        ArnLike: { 'kms:Any': `arn:aws:kms:*:${A}:alias/\${aws:PrincipalTag/t}` },
      }
      const conditions = new Map([['kms:any', arn]])
      const key = [allow({ Principal: '*', Condition })]
      expect(allows({ key }, { caller: who, conditions })).toBe(tag === value)
    }),
    { numRuns: casesOf(10_000) },
  )
})

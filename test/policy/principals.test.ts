/** Whom a policy names: bindings to unique ids, NotPrincipal, and names that are only alike. */

import { describe, expect, test } from 'vitest'
import type { Caller } from '../../src/model/caller.ts'
import { KmsError } from '../../src/model/failures.ts'
import { allow, allows, caller, decide, deny, type Statement } from './ask.ts'
import { alike, casesOf } from './cases.ts'
import { A, ALICE, APP, B, KEY, SERVICE, SESSION } from './world.ts'

const ROOT = `arn:aws:iam::${A}:root`
const to = (...arns: string[]) => [allow({ Principal: { AWS: arns } })]

describe('C4: a principal that was deleted and made again', () => {
  const again = (of: Caller): Caller => ({ ...of, principalId: of.principalId?.replace('0', '9') })
  const ids = new Map([
    [ALICE, 'AIDAALICE0000001'],
    [APP, 'AROAAPP000000001'],
    [SESSION, 'AROAAPP000000001'],
  ])
  test.each([
    ['alice', ALICE],
    ['one', APP],
    ['one', SESSION],
  ] as const)('has nothing of what %s had by %s', (who, arn) => {
    const said = { key: to(arn), ids }
    expect(allows(said, { caller: caller[who] })).toBe(true)
    expect(allows(said, { caller: again(caller[who]) })).toBe(false)
    expect(allows(said, { caller: { ...caller[who], principalId: undefined } })).toBe(false)
    // Nor is it denied what its predecessor was denied.
    const denied = { key: [allow({ Principal: '*' }), deny({ Principal: { AWS: arn } })], ids }
    expect(allows(denied, { caller: caller[who] })).toBe(false)
    expect(allows(denied, { caller: again(caller[who]) })).toBe(true)
  })
  test('is not named by the unique id of the one before', () => {
    expect(allows({ key: to('AIDAALICE0000001') })).toBe(true)
    expect(allows({ key: to('AIDAALICE0000001') }, { caller: again(caller.alice) })).toBe(false)
    expect(allows({ key: to('AROAAPP000000001') }, { caller: caller.two })).toBe(true)
    expect(allows({ key: to('AROAAPP000000001') }, { caller: again(caller.two) })).toBe(false)
    const longer = { ...caller.alice, principalId: 'AIDAALICE00000012' }
    expect(allows({ key: to('AIDAALICE0000001') }, { caller: longer })).toBe(false)
  })
  test('by a unique id a session is named as of its role: limits count', () => {
    const said = { key: to('AROAAPP000000001'), session: [allow({ Action: 'kms:Decrypt' })] }
    expect(allows(said, { caller: caller.one })).toBe(false)
    const user = { key: to('AIDAALICE0000001'), session: [allow({ Action: 'kms:Decrypt' })] }
    expect(allows(user)).toBe(true)
  })
})

describe('C2: NotPrincipal denies everybody but', () => {
  const but = (principal: unknown): Statement[] => [
    allow({ Principal: '*' }),
    { ...deny(), NotPrincipal: principal },
  ]
  const who = ['root', 'alice', 'bob', 'one', 'two', 'service'] as const
  const left = (statements: Statement[]) =>
    who.filter((each) => allows({ key: statements }, { caller: caller[each] }))

  test.each([
    ['a user with its account', { AWS: [ALICE, ROOT] }, ['root', 'alice']],
    ['a user alone, whose account is denied', { AWS: ALICE }, []],
    ['an account, which is its root', { AWS: A }, ['root']],
    ['a role with its account', { AWS: [APP, A] }, ['root', 'one', 'two']],
    ['a role alone', { AWS: APP }, []],
    ['a session with its role and account', { AWS: [SESSION, APP, A] }, ['root', 'one']],
    ['a session without its role', { AWS: [SESSION, A] }, ['root']],
    ['a role by its unique id', { AWS: ['AROAAPP000000001', A] }, ['root', 'one', 'two']],
    ['a user by its unique id', { AWS: ['AIDAALICE0000001', A] }, ['root', 'alice']],
    ['another account', { AWS: B }, []],
    ['a service', { Service: SERVICE }, ['service']],
    ['everybody', '*', [...who]],
  ])('%s', (_, principal, expected) => {
    expect(left(but(principal))).toEqual(expected)
  })
  test('one who has a permissions boundary: it leaves out nobody who has', () => {
    const said = { key: but({ AWS: [ALICE, ROOT] }) }
    expect(allows(said)).toBe(true)
    expect(decide({ ...said, boundary: [allow()] }).reason).toBe('explicit-deny')
  })
  test('one who was deleted and made again', () => {
    const ids = new Map([[ALICE, 'AIDAALICE0000000']])
    expect(allows({ key: but({ AWS: [ALICE, ROOT] }), ids })).toBe(false)
  })
})

describe('P1: of 10,000 names that are only alike, none grants more', () => {
  /** Whether a policy with a text in it allows the request; one that is refused does not. */
  function grants(statements: Statement[], place: 'key' | 'identity', who: Caller): boolean {
    const said = place === 'key' ? { key: statements } : { key: to(ROOT), identity: statements }
    try {
      return allows(said, { caller: who })
    } catch (error) {
      if (error instanceof KmsError) return false
      throw error
    }
  }

  test('principals', () => {
    const names = [ALICE, APP, SESSION, 'AIDAALICE0000001']
    const askers = [caller.alice, caller.one]
    const granted = new Set<string>()
    for (let seed = 0; seed < casesOf(10_000); seed += 1) {
      const name = alike(names[seed % names.length] ?? '', seed)
      if (askers.some((who) => grants(to(name), 'key', who))) granted.add(name)
    }
    // A change may undo another; then it is the name itself.
    const known = [...names, 'AROAAPP000000001']
    expect([...granted].filter((name) => !known.includes(name))).toEqual([])
  })

  test('callers', () => {
    const said = { key: to(ALICE, APP, SESSION) }
    const wrongly: string[] = []
    for (let seed = 0; seed < casesOf(10_000); seed += 1) {
      const arn = alike(ALICE, seed)
      const roleArn = alike(APP, seed)
      if (arn !== ALICE && allows(said, { caller: { ...caller.alice, arn } })) wrongly.push(arn)
      if (roleArn !== APP && allows(said, { caller: { ...caller.two, roleArn } })) {
        wrongly.push(roleArn)
      }
    }
    expect(wrongly).toEqual([])
  })

  test('actions and resources', () => {
    const wrongly: string[] = []
    for (let seed = 0; seed < casesOf(10_000); seed += 1) {
      const action = alike('kms:Encrypt', seed)
      const isSame = action.toLowerCase() === 'kms:encrypt' || /[*?]/.test(action)
      if (!isSame && grants([allow({ Action: action })], 'identity', caller.alice)) {
        wrongly.push(action)
      }
      const arn = alike(KEY, seed)
      const isKey = arn === KEY || /[*?]/.test(arn)
      if (!isKey && grants([allow({ Resource: arn })], 'identity', caller.alice)) wrongly.push(arn)
    }
    expect(wrongly).toEqual([])
  })
})

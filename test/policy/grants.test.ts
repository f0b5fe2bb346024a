/** What a grant allows, and to whom. */

import { describe, expect, test } from 'vitest'
import type { Caller } from '../../src/model/caller.ts'
import { GRANT_OPERATIONS, type Grant } from '../../src/model/grant.ts'
import { grantStanding } from '../../src/policy/grants.ts'
import { STANDING } from '../../src/policy/principals.ts'
import type { PolicyRequest } from '../../src/policy/request.ts'
import { caller, grantOf } from './ask.ts'
import { casesOf, choicesOf } from './cases.ts'
import { A, ALICE, APP, KEY, PROVIDER, SERVICE, SESSION } from './world.ts'

function asks(rest: Partial<PolicyRequest> = {}): PolicyRequest {
  return {
    caller: caller.alice,
    action: 'kms:Encrypt',
    resource: { arn: KEY, account: A },
    conditions: new Map(),
    grantable: true,
    ...rest,
  }
}

/** Whether a grant gives the caller what it asks, be it through its account. */
const grantAllows = (grant: Grant, request: PolicyRequest): boolean =>
  grantStanding(grant, request) !== STANDING.none

/** A caller as whom a successor of the same name comes. */
const successorOf = (of: Caller): Caller => ({
  ...of,
  principalId: of.principalId?.replace('0', '9'),
})

describe('C2: the grantee of a grant', () => {
  const to = (arn: string, principalId?: string) => grantOf({ grantee: { arn, principalId } })
  test.each([
    ['the user', to(ALICE, 'AIDAALICE0000001'), caller.alice, true],
    ['another user', to(ALICE, 'AIDAALICE0000001'), caller.bob, false],
    ['its successor', to(ALICE, 'AIDAALICE0000001'), successorOf(caller.alice), false],
    ['one whose id only begins alike', to(ALICE, 'AIDAALICE000000'), caller.alice, false],
    [
      'one without an id',
      to(ALICE, 'AIDAALICE0000001'),
      { ...caller.alice, principalId: undefined },
      false,
    ],
    ['any bearer of the name, if it is not bound', to(ALICE), successorOf(caller.alice), true],
    ['a session of the role', to(APP, 'AROAAPP000000001'), caller.one, true],
    ['another session of the role', to(APP, 'AROAAPP000000001'), caller.two, true],
    ['a session of its successor', to(APP, 'AROAAPP000000001'), successorOf(caller.one), false],
    ['a session of another role', to(APP, 'AROAAPP000000001'), caller.opsOfB, false],
    ['the session', to(SESSION, 'AROAAPP000000001'), caller.one, true],
    ['another session', to(SESSION, 'AROAAPP000000001'), caller.two, false],
    ['the service', to(SERVICE), caller.service, true],
    ['another service', to('ec2.amazonaws.com'), caller.service, false],
    ['the service, for an account that did not make it', to(SERVICE), caller.serviceForB, false],
    [
      'the service, for the account that made it',
      { ...to(SERVICE), issuingAccount: caller.rootOfB.arn },
      caller.serviceForB,
      true,
    ],
    [
      'the service, at home by a grant of another account',
      { ...to(SERVICE), issuingAccount: caller.rootOfB.arn },
      caller.service,
      false,
    ],
    ['the root', to(`arn:aws:iam::${A}:root`), caller.root, true],
    ['a user of the account, by its policies', to(`arn:aws:iam::${A}:root`), caller.alice, true],
    ['a user of another account', to(`arn:aws:iam::${A}:root`), caller.aliceOfB, false],
    ['a service is not the account', to(`arn:aws:iam::${A}:root`), caller.service, false],
    ['a name that is longer', to(`${ALICE}x`), caller.alice, false],
    ['a pattern', to(`arn:aws:iam::${A}:user/*`), caller.alice, false],
    ['a name in other case', to(ALICE.replace('alice', 'Alice')), caller.alice, false],
  ] as [string, Grant, Caller, boolean][])('%s', (_, grant, who, expected) => {
    expect(grantAllows(grant, asks({ caller: who }))).toBe(expected)
  })
  test('is no web identity', () => {
    expect(grantAllows(grantOf(), asks({ provider: PROVIDER }))).toBe(false)
  })
})

describe('operations', () => {
  test.each(GRANT_OPERATIONS)('%s gives the permission of its name and no other', (operation) => {
    for (const asked of GRANT_OPERATIONS) {
      const request = asks({ action: `kms:${asked}` })
      expect(grantAllows(grantOf({ operations: [operation] }), request)).toBe(asked === operation)
    }
  })
  test('are given only where a grant can', () => {
    expect(grantAllows(grantOf(), asks({ grantable: false }))).toBe(false)
    expect(grantAllows(grantOf(), asks({ action: 'iam:Encrypt' }))).toBe(false)
    expect(grantAllows(grantOf(), asks({ action: 'Encrypt' }))).toBe(false)
    expect(grantAllows(grantOf({ operations: [] }), asks())).toBe(false)
  })
})

describe('C7: constraints', () => {
  const pairs = (text: string): ReadonlyMap<string, string> =>
    new Map(text.split(' ').flatMap((pair) => (pair ? [pair.split('=') as [string, string]] : [])))
  const subset = (text: string) => ({ encryptionContextSubset: pairs(text) })
  const equals = (text: string) => ({ encryptionContextEquals: pairs(text) })
  test.each([
    ['nothing asked', undefined, 'a=1', true],
    ['a part of it', subset('a=1'), 'a=1 b=2', true],
    ['all of it', subset('a=1 b=2'), 'b=2 a=1', true],
    ['more than it', subset('a=1 b=2'), 'a=1', false],
    ['another value', subset('a=1'), 'a=2', false],
    ['a value in other case', subset('a=x'), 'a=X', false],
    ['a name in other case', subset('Name=x'), 'nAME=x', true],
    ['one of two names that differ in case', subset('name=x'), 'NAME=y Name=x', true],
    ['no context', subset('a=1'), '', false],
    ['an empty part', subset(''), '', true],
    ['the same', equals('a=1 b=2'), 'b=2 a=1', true],
    ['the same but for case', equals('A=1'), 'a=1', true],
    ['less', equals('a=1 b=2'), 'a=1', false],
    ['more', equals('a=1'), 'a=1 b=2', false],
    ['as many, but others', equals('a=1 b=2'), 'a=1 c=3', false],
    ['as many, one of them twice', equals('a=1 b=2'), 'a=1 A=1', false],
    ['nothing at all', equals(''), '', true],
    ['something for nothing', equals(''), 'a=1', false],
    ['both', { ...subset('a=1'), ...equals('a=1 b=2') }, 'a=1 b=2', true],
    ['one of both', { ...subset('c=1'), ...equals('a=1') }, 'a=1', false],
  ] as [string, Grant['constraints'], string, boolean][])(
    '%s',
    (_, constraints, text, expected) => {
      const grant = grantOf({ constraints })
      expect(grantAllows(grant, asks({ encryptionContext: pairs(text) }))).toBe(expected)
    },
  )
  test('without a context handed in are not met', () => {
    expect(grantAllows(grantOf({ constraints: subset('a=1') }), asks())).toBe(false)
    expect(grantAllows(grantOf({ constraints: equals('') }), asks())).toBe(true)
  })
  test('bind exactly the operations that take an encryption context', () => {
    const bound = GRANT_OPERATIONS.filter((operation) => {
      const grant = grantOf({ operations: [operation], constraints: subset('a=1') })
      return !grantAllows(grant, asks({ action: `kms:${operation}`, encryptionContext: pairs('') }))
    })
    expect(bound.toSorted()).toEqual(
      [
        'Decrypt',
        'Encrypt',
        'GenerateDataKey',
        'GenerateDataKeyPair',
        'GenerateDataKeyPairWithoutPlaintext',
        'GenerateDataKeyWithoutPlaintext',
        'ReEncryptFrom',
        'ReEncryptTo',
      ].toSorted(),
    )
  })

  test('are what their words say, in 100,000 cases', () => {
    const words = ['a', 'A', 'b', 'ß', 'ẞ', 'x y', '']
    const folded = (map: ReadonlyMap<string, string>) =>
      new Set([...map].map(([name, value]) => `${name.toLowerCase()}=${value}`))
    const wrongly: unknown[] = []
    const { below, pick } = choicesOf(1)
    const context = () =>
      new Map(Array.from({ length: below(4) }, (): [string, string] => [pick(words), pick(words)]))
    for (let index = 0; index < casesOf(100_000); index += 1) {
      const [constraint, given] = [context(), context()]
      const request = asks({ encryptionContext: given })
      const [wanted, has] = [folded(constraint), folded(given)]
      const isSubset = [...wanted].every((pair) => has.has(pair))
      const isSame =
        isSubset && constraint.size === given.size && [...has].every((pair) => wanted.has(pair))
      const by = (constraints: Grant['constraints']) =>
        grantAllows(grantOf({ constraints }), request)
      const said = [
        by({ encryptionContextSubset: constraint }),
        by({ encryptionContextEquals: constraint }),
      ]
      if (said[0] !== isSubset || said[1] !== isSame) wrongly.push({ constraint, given, said })
    }
    expect(wrongly).toEqual([])
  })
})

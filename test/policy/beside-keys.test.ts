/** The rules where no key policy decides alone: accounts, roles to assume, grants to give up. */

import { describe, expect, test } from 'vitest'
import { allow, allows, caller, decide, deny, grantOf, type Said } from './ask.ts'
import { A, ALIAS, ALICE, APP, B, KEY, PROVIDER } from './world.ts'

const ROOT_OF_B = { AWS: `arn:aws:iam::${B}:root` }
const to = (principal: unknown) => [allow({ Principal: principal })]

describe('C2: to give a grant up', () => {
  const asked = { action: 'kms:RetireGrant' }
  const retirable = (arn: string) =>
    grantOf({ grantee: { arn }, operations: ['RetireGrant'], constraints: undefined })
  const cells: readonly [string, keyof typeof caller, string, Said, boolean][] = [
    ['takes no leave at home', 'alice', ALICE, {}, true],
    ['takes none abroad', 'aliceOfB', caller.aliceOfB.arn, {}, true],
    ['is for nobody else', 'bob', ALICE, {}, false],
    ['is for its role abroad', 'opsOfB', caller.opsOfB.roleArn ?? '', {}, true],
    ['takes leave of an account that may', 'aliceOfB', ROOT_OF_B.AWS, {}, false],
    ['has leave by a policy', 'aliceOfB', ROOT_OF_B.AWS, { identity: [allow()] }, true],
    ['is for the root of an account that may', 'rootOfB', ROOT_OF_B.AWS, {}, true],
  ]
  test.each(cells)('%s: %s by a grant to %s', (_, who, arn, said, expected) => {
    const grants = [retirable(arn)]
    expect(
      allows({ key: to({ AWS: APP }), ...said, grants }, { ...asked, caller: caller[who] }),
    ).toBe(expected)
  })
  test('is limited abroad, and not for who has it itself at home', () => {
    const boundary = [allow({ Action: 'kms:Decrypt' })]
    const abroad = { key: to({ AWS: APP }), grants: [retirable(caller.aliceOfB.arn)], boundary }
    expect(allows(abroad, { ...asked, caller: caller.aliceOfB })).toBe(false)
    expect(allows({ ...abroad, grants: [retirable(ALICE)] }, asked)).toBe(true)
  })
})

describe('C2: what concerns no single key', () => {
  const account = { resource: { arn: '*', account: A }, action: 'kms:CreateKey' }
  const cells: readonly [keyof typeof caller, Said, boolean][] = [
    ['root', {}, true],
    ['rootOfB', {}, false],
    ['alice', {}, false],
    ['alice', { identity: [allow()] }, true],
    ['alice', { identity: [allow({ Resource: `arn:aws:kms:*:${A}:*` })] }, false],
    ['alice', { identity: [allow(), deny({ Action: 'kms:Create*' })] }, false],
    ['alice', { identity: [allow()], boundary: [allow({ Action: 'kms:List*' })] }, false],
    ['one', { identity: [allow()], session: [allow({ Action: 'kms:List*' })] }, false],
    ['one', { identity: [allow()], session: [allow({ Action: 'kms:Create*' })] }, true],
    ['aliceOfB', { identity: [allow()] }, false],
    ['service', { identity: [allow()] }, false],
    ['keyslot', { identity: [allow()] }, false],
  ]
  test.each(cells)('asked by %s with %j: %s', (who, said, expected) => {
    expect(allows(said, { ...account, caller: caller[who] })).toBe(expected)
  })
  test('is asked on an alias by its ARN', () => {
    const asked = { resource: { arn: ALIAS, account: A }, action: 'kms:CreateAlias' }
    expect(allows({ identity: [allow({ Resource: ALIAS })] }, asked)).toBe(true)
    expect(allows({ identity: [allow({ Resource: KEY })] }, asked)).toBe(false)
  })
})

describe('C2: trust policies', () => {
  const trust = [{ Effect: 'Allow', Action: 'sts:AssumeRole*', Principal: { AWS: ALICE } }]
  const asked = { action: 'sts:AssumeRole', resource: { arn: APP, account: A } }
  test('speak of one role, which they do not name', () => {
    expect(decide({ trust }, asked).by).toEqual({ source: 'trust-policy', statement: 0 })
    expect(allows({ trust }, { ...asked, caller: caller.bob })).toBe(false)
  })
  test('name a web identity by its provider only', () => {
    const federated = [{ ...trust[0], Principal: { Federated: PROVIDER } }]
    const web = { ...asked, action: 'sts:AssumeRoleWithWebIdentity' }
    expect(allows({ trust: federated }, { ...web, provider: PROVIDER })).toBe(true)
    expect(allows({ trust: federated }, { ...web, provider: `${PROVIDER}x` })).toBe(false)
    expect(allows({ trust: federated }, web)).toBe(false)
    const everybody = [{ ...trust[0], Principal: '*' }]
    expect(allows({ trust: everybody }, { ...web, provider: PROVIDER })).toBe(false)
    const guard = { Effect: 'Deny', Principal: '*', Action: '*' }
    expect(allows({ trust: [...federated, guard] }, { ...web, provider: PROVIDER })).toBe(false)
    const ofB = { ...web, provider: PROVIDER, caller: caller.aliceOfB }
    expect(allows({ trust: federated }, ofB)).toBe(true)
  })
  test('ask the claims of a web identity', () => {
    const federated = [
      {
        ...trust[0],
        Principal: { Federated: PROVIDER },
        Condition: { StringEquals: { 'id.example/x:sub': 'me' } },
      },
    ]
    const asking = (sub: string) =>
      allows(
        { trust: federated },
        { ...asked, provider: PROVIDER, conditions: new Map([['id.example/x:sub', sub]]) },
      )
    expect([asking('me'), asking('you')]).toEqual([true, false])
  })
})

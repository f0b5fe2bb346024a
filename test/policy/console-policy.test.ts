/** AWS's own key policies as they stand: those of the console, of managed keys, and by alias. */

import { describe, expect, test } from 'vitest'
import type { Caller } from '../../src/model/caller.ts'
import {
  defaultKeyPolicy,
  leavesSomebodyInCharge,
  managedKeyPolicy,
} from '../../src/policy/default-policy.ts'
import { compilePolicy } from '../../src/policy/document.ts'
import { type Evidence, evaluate } from '../../src/policy/evaluate.ts'
import type { PolicyRequest } from '../../src/policy/request.ts'
import { allow, allows, caller, decide, deny, policyText, type Statement } from './ask.ts'
import { A, ALICE, APP, B, KEY } from './world.ts'

const resource = { arn: KEY, account: A }
const user = (name: string, account = A): Caller => ({
  kind: 'user',
  account,
  arn: `arn:aws:iam::${account}:user/${name}`,
  principalId: `AIDA${name.toUpperCase()}`,
})

// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
const CONSOLE = `{
  "Version": "2012-10-17",
  "Id": "key-consolepolicy-3",
  "Statement": [
    { "Sid": "Enable IAM User Permissions", "Effect": "Allow",
      "Principal": { "AWS": "arn:aws:iam::${A}:root" }, "Action": "kms:*", "Resource": "*" },
    { "Sid": "Allow access for Key Administrators", "Effect": "Allow",
      "Principal": { "AWS": [
        "arn:aws:iam::${A}:user/KMSAdminUser", "arn:aws:iam::${A}:role/KMSAdminRole" ] },
      "Action": [ "kms:Create*", "kms:Describe*", "kms:Enable*", "kms:List*", "kms:Put*",
        "kms:Update*", "kms:Revoke*", "kms:Disable*", "kms:Get*", "kms:Delete*",
        "kms:TagResource", "kms:UntagResource", "kms:ScheduleKeyDeletion",
        "kms:CancelKeyDeletion" ],
      "Resource": "*" },
    { "Sid": "Allow use of the key", "Effect": "Allow",
      "Principal": { "AWS": [ "arn:aws:iam::${A}:user/ExampleUser",
        "arn:aws:iam::${A}:role/ExampleRole", "arn:aws:iam::${B}:root" ] },
      "Action": [ "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*",
        "kms:DescribeKey" ],
      "Resource": "*" },
    { "Sid": "Allow attachment of persistent resources", "Effect": "Allow",
      "Principal": { "AWS": [ "arn:aws:iam::${A}:user/ExampleUser",
        "arn:aws:iam::${A}:role/ExampleRole", "arn:aws:iam::${B}:root" ] },
      "Action": [ "kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant" ],
      "Resource": "*",
      "Condition": { "Bool": { "kms:GrantIsForAWSResource": "true" } } }
  ]
}`

function asked(
  policy: string,
  who: Caller,
  rest: Partial<PolicyRequest>,
  identity: Statement[] = [],
) {
  const evidence: Evidence = {
    resourcePolicy: { policy: compilePolicy(policy, 'key'), principalIds: new Map() },
    identityPolicies: [
      { name: 'own', policy: compilePolicy(policyText(allow(), ...identity), 'identity') },
    ],
    sessionPolicies: [],
    grants: [],
  }
  const without = { ...evidence, identityPolicies: [] }
  const request = {
    caller: who,
    action: 'kms:Encrypt',
    resource,
    conditions: new Map(),
    grantable: true,
    ...rest,
  }
  return { alone: evaluate(request, without), withPolicy: evaluate(request, evidence) }
}

describe("the console's policy", () => {
  const use = ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncryptFrom', 'kms:GenerateDataKeyPair']
  const administer = [
    'kms:PutKeyPolicy',
    'kms:DisableKey',
    'kms:ScheduleKeyDeletion',
    'kms:GetKeyPolicy',
  ]
  const attach = ['kms:CreateGrant', 'kms:ListGrants', 'kms:RevokeGrant']
  const may = (who: Caller, actions: string[], conditions = new Map<string, string>()) =>
    actions.map((action) => asked(CONSOLE, who, { action, conditions }).alone.allowed)
  const all = [true, true, true, true]
  const none = [false, false, false, false]

  test('lets the root do everything, and pass it on', () => {
    expect(may(caller.root, [...use, ...administer])).toEqual([...all, ...all])
    expect(may(caller.bob, [...use, ...administer])).toEqual([...none, ...none])
    expect(asked(CONSOLE, caller.bob, {}).withPolicy.by?.source).toBe('identity-policy')
  })
  test('lets administrators administer and not use', () => {
    expect(may(user('KMSAdminUser'), administer)).toEqual(all)
    expect(may(user('KMSAdminUser'), use)).toEqual(none)
  })
  test('lets users use and not administer', () => {
    expect(may(user('ExampleUser'), use)).toEqual(all)
    expect(may(user('ExampleUser'), administer)).toEqual(none)
  })
  test('lets users make grants only for services', () => {
    const forService = new Map([['kms:grantisforawsresource', 'true']])
    const direct = new Map([['kms:grantisforawsresource', 'false']])
    expect(may(user('ExampleUser'), attach, forService)).toEqual([true, true, true])
    expect(may(user('ExampleUser'), attach, direct)).toEqual([false, false, false])
    expect(may(user('ExampleUser'), attach)).toEqual([false, false, false])
  })
  test('lets another account pass its use on, and nothing else', () => {
    const stranger = user('Stranger', B)
    expect(asked(CONSOLE, stranger, {}).alone.allowed).toBe(false)
    expect(asked(CONSOLE, stranger, {}).withPolicy.allowed).toBe(true)
    const put = asked(CONSOLE, stranger, { action: 'kms:PutKeyPolicy' })
    expect(put.withPolicy.allowed).toBe(false)
  })
})

describe('the policy of a managed key', () => {
  const policy = managedKeyPolicy(A, 'eu-central-1', 'backup.amazonaws.com')
  const via = (service: string) => new Map([['kms:viaservice', service]])
  const through = via('backup.eu-central-1.amazonaws.com')

  test('is the same by the short name of the service', () => {
    expect(managedKeyPolicy(A, 'eu-central-1', 'backup')).toBe(policy)
  })
  test('lets everybody of the account use it through the service only', () => {
    for (const who of [caller.alice, caller.one, caller.service]) {
      expect(asked(policy, who, { conditions: through }).alone.allowed).toBe(true)
      expect(asked(policy, who, {}).withPolicy.allowed).toBe(false)
      const elsewhere = via('backup.eu-west-1.amazonaws.com')
      expect(asked(policy, who, { conditions: elsewhere }).withPolicy.allowed).toBe(false)
    }
    const stranger = asked(policy, caller.aliceOfB, { conditions: through })
    expect(stranger.withPolicy.allowed).toBe(false)
  })
  test('lets the account look at it and change nothing', () => {
    const may = (action: string) => asked(policy, caller.root, { action }).alone.allowed
    expect(['kms:DescribeKey', 'kms:GetKeyPolicy', 'kms:ListGrants'].map(may)).toEqual([
      true,
      true,
      true,
    ])
    expect(['kms:PutKeyPolicy', 'kms:Encrypt', 'kms:DisableKey'].map(may)).toEqual([
      false,
      false,
      false,
    ])
  })
})

describe('C2: somebody stays in charge', () => {
  const stays = (statements: Statement[], who = caller.alice, bounded = false) =>
    leavesSomebodyInCharge(
      compilePolicy(policyText(...statements), 'key'),
      { caller: who, resource, conditions: new Map() },
      { principalIds: new Map(), bounded },
    )
  test('by the default policy, whoever puts it', () => {
    const policy = compilePolicy(defaultKeyPolicy(A), 'key')
    for (const who of [caller.root, caller.alice, caller.one]) {
      const request = { caller: who, resource, conditions: new Map() }
      expect(leavesSomebodyInCharge(policy, request, { principalIds: new Map() })).toBe(true)
    }
  })
  test.each([
    ['the caller itself', [allow({ Principal: { AWS: ALICE }, Action: 'kms:Put*' })], true],
    ['another', [allow({ Principal: { AWS: APP } })], false],
    ['the caller, but not this', [allow({ Principal: { AWS: ALICE }, Action: 'kms:Get*' })], false],
    ['the account', [allow({ Principal: { AWS: A } })], true],
    ['another account', [allow({ Principal: { AWS: B } })], false],
    [
      'the caller, who is denied it',
      [allow({ Principal: '*' }), deny({ Principal: { AWS: ALICE }, Action: 'kms:PutKeyPolicy' })],
      false,
    ],
    [
      'the caller, where a condition does not hold',
      [allow({ Principal: '*', Condition: { Bool: { 'aws:SecureTransport': 'true' } } })],
      false,
    ],
  ] as [string, Statement[], boolean][])('%s: %s', (_, statements, expected) => {
    expect(stays(statements)).toBe(expected)
  })
  test('by one of whom it is not said that he has a boundary', () => {
    const but = { ...deny(), NotPrincipal: { AWS: [ALICE, A] } }
    const policy = compilePolicy(policyText(allow({ Principal: '*' }), but), 'key')
    const request = { caller: caller.alice, resource, conditions: new Map() }
    expect(leavesSomebodyInCharge(policy, request, { principalIds: new Map() })).toBe(true)
  })
  test('not by keyslot itself, whom no policy names', () => {
    expect(stays([allow({ Principal: '*' })], caller.keyslot)).toBe(false)
    expect(stays([allow({ Principal: '*' })], caller.service)).toBe(true)
  })
  test('not by one who has a boundary, where NotPrincipal denies', () => {
    const but = { ...deny(), NotPrincipal: { AWS: [ALICE, A] } }
    const statements = [allow({ Principal: '*' }), but]
    expect(stays(statements)).toBe(true)
    expect(stays(statements, caller.alice, true)).toBe(false)
  })
})

describe('by alias', () => {
  const by = (Condition: object) => ({
    key: [allow({ Principal: { AWS: A } })],
    identity: [allow({ Condition })],
  })
  test('kms:ResourceAliases, of which a key may have several', () => {
    const said = by({ 'ForAnyValue:StringLike': { 'kms:ResourceAliases': 'alias/prod*' } })
    const having = (...aliases: string[]) =>
      allows(said, { conditions: new Map([['kms:resourcealiases', aliases]]) })
    expect(having('alias/test', 'alias/production')).toBe(true)
    expect(having('alias/test')).toBe(false)
    expect(having()).toBe(false)
  })
  test('kms:RequestAlias, which the request names', () => {
    const said = by({ StringEquals: { 'kms:RequestAlias': 'alias/catrobot' } })
    const conditions = new Map([['kms:requestalias', 'alias/catrobot']])
    expect(allows(said, { conditions })).toBe(true)
    expect(decide(said).reason).toBe('implicit-deny')
  })
})

test('the policies that keys have of themselves are AWS’s, to the letter', () => {
  const statement = (sid: string, principal: string, actions: unknown) => ({
    ...{ Sid: sid, Effect: 'Allow', Principal: { AWS: principal }, Action: actions, Resource: '*' },
  })
  const root = `arn:aws:iam::${A}:root`
  const own = [statement('Enable IAM User Permissions', root, 'kms:*')]
  expect(defaultKeyPolicy(A)).toBe(
    JSON.stringify({ Version: '2012-10-17', Id: 'key-default-1', Statement: own }, undefined, 2),
  )
  const use = ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*']
  const title = 'Allow access through backup for all principals in the account that may use it'
  const through = statement(title, '*', [...use, 'kms:CreateGrant', 'kms:DescribeKey'])
  const equals = { 'kms:CallerAccount': A, 'kms:ViaService': 'backup.eu-central-1.amazonaws.com' }
  const look = ['kms:Describe*', 'kms:Get*', 'kms:List*', 'kms:RevokeGrant']
  const managed = [
    { ...through, Condition: { StringEquals: equals } },
    statement('Allow direct access to key metadata to the account', root, look),
  ]
  expect(managedKeyPolicy(A, 'eu-central-1', 'backup.amazonaws.com')).toBe(
    JSON.stringify(
      { Version: '2012-10-17', Id: 'auto-backup-1', Statement: managed },
      undefined,
      2,
    ),
  )
  expect(managedKeyPolicy(A, 'eu-central-1', 'a.amazonaws.com.b')).toContain(
    'auto-a.amazonaws.com.b-1',
  )
})

/** The rules by which a request is decided, each cell allowed and denied. */

import { describe, expect, test } from 'vitest'
import { compilePolicy } from '../../src/policy/document.ts'
import type { PolicyRequest } from '../../src/policy/request.ts'
import { allow, allows, caller, decide, deny, grantOf, policyText, type Said } from './ask.ts'
import { A, ALIAS, ALICE, APP, B, KEY, KEY_OF_B, SERVICE, SESSION } from './world.ts'

const ROOT = { AWS: `arn:aws:iam::${A}:root` }
const ROOT_OF_B = { AWS: `arn:aws:iam::${B}:root` }
const to = (principal: unknown) => [allow({ Principal: principal })]
const other = [allow({ Action: 'kms:Decrypt' })]

/** Who asks, with what evidence, and whether it is allowed. */
type Cell = readonly [string, keyof typeof caller, Said, boolean]

const atHome: readonly Cell[] = [
  ['nothing said', 'alice', { key: to(ROOT) }, false],
  ['the principal named', 'alice', { key: to({ AWS: ALICE }) }, true],
  ['everybody named', 'alice', { key: to('*') }, true],
  ['somebody else named', 'bob', { key: to({ AWS: ALICE }) }, false],
  ['the account and an identity policy', 'alice', { key: to(ROOT), identity: [allow()] }, true],
  ['the account by number', 'alice', { key: to({ AWS: A }), identity: [allow()] }, true],
  ['another account and a policy', 'alice', { key: to(ROOT_OF_B), identity: [allow()] }, false],
  ['the account, a policy on else', 'alice', { key: to(ROOT), identity: other }, false],
  ['no word for the account', 'alice', { key: to({ AWS: APP }), identity: [allow()] }, false],
  ['the root by its account', 'root', { key: to(ROOT) }, true],
  ['the root, not named', 'root', { key: to({ AWS: ALICE }), identity: [allow()] }, false],
  ['the session of a named role', 'one', { key: to({ AWS: APP }) }, true],
  ['the session itself', 'one', { key: to({ AWS: SESSION }) }, true],
  ['another session than the named one', 'two', { key: to({ AWS: SESSION }) }, false],
  ['a service', 'service', { key: to({ Service: SERVICE }) }, true],
  ['another service', 'service', { key: to({ Service: 'ec2.amazonaws.com' }) }, false],
  ['a service is not its account', 'service', { key: to(ROOT), identity: [allow()] }, false],
  ['keyslot itself', 'keyslot', { key: to('*'), identity: [allow()] }, false],
  ['a grant', 'alice', { key: to(ROOT), grants: [grantOf()] }, true],
  ['a grant to another', 'bob', { key: to(ROOT), grants: [grantOf()] }, false],
  [
    'a grant to the account',
    'bob',
    { key: to(ROOT), grants: [grantOf({ grantee: { arn: ROOT.AWS } })] },
    false,
  ],
  [
    'a grant to the account, and a policy',
    'bob',
    {
      key: to({ AWS: APP }),
      grants: [grantOf({ grantee: { arn: ROOT.AWS } })],
      identity: [allow()],
    },
    true,
  ],
]

const several: readonly Cell[] = [
  [
    'the role, and its account by a grant',
    'one',
    { key: to({ AWS: APP }), grants: [grantOf({ grantee: { arn: ROOT.AWS } })] },
    true,
  ],
  [
    'the account by a grant, and itself by another',
    'alice',
    { key: to({ AWS: APP }), grants: [grantOf({ grantee: { arn: ROOT.AWS } }), grantOf()] },
    true,
  ],
  [
    'itself by a grant, and the account by another',
    'alice',
    { key: to({ AWS: APP }), grants: [grantOf(), grantOf({ grantee: { arn: ROOT.AWS } })] },
    true,
  ],
  [
    'the account by one statement, and itself by another',
    'alice',
    { key: [...to(ROOT), ...to({ AWS: ALICE })] },
    true,
  ],
  [
    'itself by one statement, and the account by another',
    'alice',
    { key: [...to({ AWS: ALICE }), ...to(ROOT)] },
    true,
  ],
]

const away: readonly Cell[] = [
  ['the account there alone', 'aliceOfB', { key: to(ROOT_OF_B) }, false],
  ['the policy here alone', 'aliceOfB', { key: to(ROOT), identity: [allow()] }, false],
  ['both', 'aliceOfB', { key: to(ROOT_OF_B), identity: [allow()] }, true],
  ['the principal there alone', 'aliceOfB', { key: to({ AWS: caller.aliceOfB.arn }) }, false],
  ['everybody there alone', 'aliceOfB', { key: to('*') }, false],
  ['everybody there and a policy', 'aliceOfB', { key: to('*'), identity: [allow()] }, true],
  [
    'the principal there and a policy',
    'aliceOfB',
    { key: to({ AWS: caller.aliceOfB.arn }), identity: [allow()] },
    true,
  ],
  ['the role there and a policy on else', 'opsOfB', { key: to(ROOT_OF_B), identity: other }, false],
  ['the root of the account named there', 'rootOfB', { key: to(ROOT_OF_B) }, true],
  ['the root of another account', 'rootOfB', { key: to(ROOT) }, false],
  [
    'a grant alone',
    'aliceOfB',
    { key: to(ROOT), grants: [grantOf({ grantee: { arn: caller.aliceOfB.arn } })] },
    false,
  ],
  [
    'a grant, and a policy',
    'aliceOfB',
    {
      key: to(ROOT),
      grants: [grantOf({ grantee: { arn: caller.aliceOfB.arn } })],
      identity: [allow()],
    },
    true,
  ],
  [
    'a grant beside a key policy, and nothing at home',
    'aliceOfB',
    { key: to('*'), grants: [grantOf({ grantee: { arn: caller.aliceOfB.arn } })] },
    false,
  ],
  [
    'a grant to the account alone',
    'aliceOfB',
    { key: to(ROOT), grants: [grantOf({ grantee: { arn: ROOT_OF_B.AWS } })] },
    false,
  ],
  [
    'a grant to the account, and a policy',
    'aliceOfB',
    { key: to(ROOT), grants: [grantOf({ grantee: { arn: ROOT_OF_B.AWS } })], identity: [allow()] },
    true,
  ],
]

test.each([...atHome, ...several, ...away])('C2: %s: %s', (_, who, said, expected) => {
  expect(allows(said, { caller: caller[who] })).toBe(expected)
})

describe('C2: a denial wins', () => {
  const everything: Said = {
    key: to('*'),
    identity: [allow()],
    boundary: [allow()],
    session: [allow()],
    grants: [grantOf()],
  }
  test('over nothing, everything is allowed', () => {
    expect(decide(everything).reason).toBe('allow')
  })
  test.each([
    ['key', 'key-policy', { Principal: '*' }],
    ['identity', 'identity-policy', {}],
    ['boundary', 'boundary', {}],
    ['session', 'session-policy', {}],
  ] as const)('in the %s policy', (place, source, principal) => {
    const said = { ...everything, [place]: [...(everything[place] ?? []), deny(principal)] }
    expect(decide(said)).toMatchObject({
      allowed: false,
      reason: 'explicit-deny',
      by: { source, statement: 1 },
    })
    const elsewhere = deny({ ...principal, Action: 'kms:Decrypt' })
    expect(allows({ ...everything, [place]: [...(everything[place] ?? []), elsewhere] })).toBe(true)
    const Condition = { StringEquals: { 'aws:username': 'bob' } }
    const ofBob = [...(everything[place] ?? []), deny({ ...principal, Condition })]
    expect(allows({ ...everything, [place]: ofBob })).toBe(true)
  })
  test.each(['one', 'two'] as const)('of its role over session %s', (who) => {
    const said = { key: [...to('*'), deny({ Principal: { AWS: APP } })] }
    expect(decide(said, { caller: caller[who] }).reason).toBe('explicit-deny')
  })
  test('of its account over everybody in it, and over nobody else', () => {
    const said = { key: [...to('*'), deny({ Principal: ROOT })] }
    expect(decide(said).reason).toBe('explicit-deny')
    expect(decide(said, { caller: caller.root }).reason).toBe('explicit-deny')
    expect(allows({ ...said, identity: [allow()] }, { caller: caller.aliceOfB })).toBe(true)
    expect(allows(said, { caller: caller.service })).toBe(true)
  })
  test('of an identity policy, though identity policies allow nothing here', () => {
    const said = { key: to({ AWS: ALICE }), identity: [deny({ Action: 'kms:Enc*' })] }
    expect(decide(said).reason).toBe('explicit-deny')
  })
})

describe('C2: a boundary and session policies', () => {
  const narrow = [allow({ Action: 'kms:Decrypt' })]
  const limits = [
    ['boundary', 'boundary'],
    ['session', 'session-policy'],
  ] as const
  /** Who is given it, how, and whether a limit that does not allow it stands in the way. */
  const cells: readonly [string, keyof typeof caller, Said, boolean][] = [
    ['the user itself', 'alice', { key: to({ AWS: ALICE }) }, false],
    ['everybody', 'alice', { key: to('*') }, false],
    ['the session itself', 'one', { key: to({ AWS: SESSION }) }, false],
    ['the role', 'one', { key: to({ AWS: APP }) }, true],
    ['the account', 'alice', { key: to(ROOT), identity: [allow()] }, true],
    ['the user by a grant', 'alice', { key: to(ROOT), grants: [grantOf()] }, false],
    [
      'the role by a grant',
      'one',
      { key: to(ROOT), grants: [grantOf({ grantee: { arn: APP } })] },
      true,
    ],
    ['a stranger', 'aliceOfB', { key: to('*'), identity: [allow()] }, true],
    [
      'a stranger by a grant',
      'aliceOfB',
      {
        key: to(ROOT),
        grants: [grantOf({ grantee: { arn: caller.aliceOfB.arn } })],
        identity: [allow()],
      },
      true,
    ],
  ]
  test.each(cells)('what is given to %s', (_, who, said, isLimited) => {
    for (const [limit, source] of limits) {
      const asked = { caller: caller[who] }
      const limited = decide({ ...said, [limit]: narrow }, asked)
      if (isLimited) {
        expect(limited).toEqual({ allowed: false, reason: 'implicit-deny', by: { source } })
      } else expect(limited.allowed).toBe(true)
      expect(allows({ ...said, [limit]: [allow()] }, asked)).toBe(true)
    }
  })
})

describe('C2: actions and resources', () => {
  const cells: readonly [Partial<PolicyRequest>, Record<string, unknown>, boolean][] = [
    [{}, { Action: 'kms:Encrypt' }, true],
    [{}, { Action: 'KMS:eNCRYPT' }, true],
    [{ action: 'KMS:ENCRYPT' }, { Action: 'kms:Encrypt' }, true],
    [{}, { Action: ['kms:Decrypt', 'kms:En*'] }, true],
    [{}, { Action: 'kms:En?rypt' }, true],
    [{}, { Action: 'kms:Encryp' }, false],
    [{}, { Action: 'kms:Encrypt?' }, false],
    [{}, { Action: 's3:*' }, false],
    [{}, { Action: '*:Encrypt' }, true],
    [{}, { Action: undefined, NotAction: 'kms:Encrypt' }, false],
    [{}, { Action: undefined, NotAction: ['kms:Decrypt', 'kms:Get*'] }, true],
    [{}, { Action: undefined, NotAction: '*' }, false],
    [{}, { Resource: KEY }, true],
    [{}, { Resource: KEY_OF_B }, false],
    [{}, { Resource: KEY.toUpperCase().replace('ARN:AWS:KMS', 'arn:aws:kms') }, false],
    [{}, { Resource: `arn:aws:kms:*:${A}:key/*` }, true],
    [{}, { Resource: `arn:aws:kms:*:${A}:*` }, true],
    [{}, { Resource: `arn:aws:kms:eu-*-1:${A}:key/*-12ab-*` }, true],
    [{}, { Resource: `arn:aws:kms:eu-?entral-1:${A}:key/*` }, true],
    [{}, { Resource: `arn:aws:kms:eu-central-1?${A}:key/:*` }, false],
    // At the end of a part an asterisk reaches beyond it, elsewhere it does not.
    [{}, { Resource: 'arn:aws:kms:*:key/1234abcd*:x' }, false],
    [{ resource: { arn: ALIAS, account: A } }, { Resource: `arn:aws:kms:*:b:x` }, false],
    [{ resource: { arn: ALIAS, account: A } }, { Resource: `arn:aws:kms:eu*:${A}:alias/*` }, true],
    [{ resource: { arn: ALIAS, account: A } }, { Resource: `arn:aws:kms:*:${A}:a*ice/a:b` }, true],
    [{ resource: { arn: ALIAS, account: A } }, { Resource: `arn:aws:kms:*:${A}:al*b` }, false],
    [{ resource: { arn: ALIAS, account: A } }, { Resource: `arn:aws:kms:*:${A}:al*:b` }, true],
    [{ resource: { arn: ALIAS, account: A } }, { Resource: `${ALIAS.slice(0, -2)}?b` }, false],
    [{ resource: { arn: ALIAS, account: A } }, { Resource: `${ALIAS.slice(0, -1)}?` }, true],
    [{ resource: { arn: ALIAS, account: A } }, { Resource: 'arn:aws:kms:*:alias/alice/a:b' }, true],
    [{}, { Resource: undefined, NotResource: KEY }, false],
    [{}, { Resource: undefined, NotResource: KEY_OF_B }, true],
    [{}, { Resource: undefined, NotResource: '*' }, false],
    [{}, { Resource: [KEY_OF_B, KEY] }, true],
  ]
  test.each(cells)('%j %j: %s', (asked, rest, expected) => {
    expect(allows({ key: to(ROOT), identity: [allow(rest)] }, asked)).toBe(expected)
  })
  test.each(['Resource', 'Action'])(
    'a statement of a key policy without %s means nothing',
    (name) => {
      const everybody = allow({ Principal: '*' })
      expect(allows({ key: [{ ...everybody, [name]: undefined }] })).toBe(false)
      expect(allows({ key: [everybody, deny({ Principal: '*', [name]: undefined })] })).toBe(true)
      expect(allows({ key: to('*') })).toBe(true)
    },
  )
})

test('a policy that is asked about ever more actions answers as at first', () => {
  const policy = compilePolicy(policyText(allow({ Action: 'kms:List*' })), 'identity')
  const allowances = (action: string) => policy.on(action).allowances.length
  for (let count = 0; count < 600; count += 1) {
    expect(allowances(`kms:List${count}`)).toBe(1)
    expect(allowances(`kms:Get${count}`)).toBe(0)
  }
  expect([allowances('kms:ListKeys'), allowances('KMS:LISTKEYS')]).toEqual([1, 1])
})

test('of a policy the statements on 256 actions are remembered, and no more', () => {
  const policy = compilePolicy(policyText(allow()), 'identity')
  const first = policy.on('kms:First')
  for (let count = 1; count < 256; count += 1) policy.on(`kms:Other${count}`)
  expect(policy.on('kms:First')).toBe(first)
  policy.on('kms:OneMore')
  expect(policy.on('kms:First') === first).toBe(false)
})

describe('a decision says what decided', () => {
  const named = allow({ Sid: 'Named', Principal: { AWS: ALICE } })
  test.each([
    [{ key: [allow({ Principal: ROOT }), named] }, { source: 'key-policy', statement: 'Named' }],
    [
      { key: to(ROOT), identity: [deny({ Action: 's3:*' }), allow({ Sid: 'Mine' })] },
      { source: 'identity-policy', name: 'own', statement: 'Mine' },
    ],
    [
      { key: to(ROOT), identity: [allow()] },
      { source: 'identity-policy', name: 'own', statement: 0 },
    ],
    [
      { key: to(ROOT), grants: [grantOf()] },
      { source: 'grant', name: 'f'.repeat(64) },
    ],
    [
      { key: to({ AWS: APP }), grants: [grantOf({ grantId: '1' }), grantOf({ grantId: '2' })] },
      { source: 'grant', name: '1' },
    ],
    [{ key: to(ROOT) }, undefined],
  ] as [Said, object | undefined][])('%#', (said, by) => {
    expect(decide(said).by).toEqual(by)
  })
  test('of two that give the same: the key policy', () => {
    const said = { key: to({ AWS: APP }), grants: [grantOf({ grantee: { arn: APP } })] }
    expect(decide(said, { caller: caller.one }).by?.source).toBe('key-policy')
  })
  test('to strangers: the key policy that let them in', () => {
    const said = { key: to(ROOT_OF_B), identity: [allow()] }
    expect(decide(said, { caller: caller.aliceOfB }).by?.source).toBe('key-policy')
  })
  test('to the root of an account: that it is', () => {
    expect(decide({}, { caller: caller.root }).by).toEqual({ source: 'account-root' })
  })
})

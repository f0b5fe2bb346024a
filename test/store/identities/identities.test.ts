/** The store of accounts and who is in them: names, ids, limits, and copies that are never old. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  foldedName,
  newPrincipalId,
  type Principal,
  parsePrincipalArn,
  principalArn,
} from '../../../src/model/identities/principal.ts'
import type { IdentityStore } from '../../../src/store/identities/store.ts'
import { temporaryStore } from '../fixture.ts'

const ACCOUNT = '111122223333'
let open: Awaited<ReturnType<typeof temporaryStore>>
let identities: IdentityStore

beforeAll(async () => {
  open = await temporaryStore()
  identities = open.store.identities
  await identities.accounts.insert({ account: ACCOUNT, name: 'one', createdMs: 1 })
  await identities.accounts.insert({ account: '444455556666', name: 'two', createdMs: 2 })
})
afterAll(() => open.end())

function user(name: string, part: Partial<Principal> = {}): Principal {
  const kind = part.kind ?? 'user'
  const account = part.account ?? ACCOUNT
  const path = part.path ?? '/'
  return {
    principalId: newPrincipalId(kind),
    account,
    kind,
    name,
    path,
    arn: principalArn(kind, { account, path, name }),
    description: '',
    tags: new Map(),
    policies: [],
    boundary: undefined,
    trust: undefined,
    sessionSecondsMax: undefined,
    createdMs: 5,
    ...part,
  }
}

describe('principals', () => {
  test('come back whole: tags named __proto__, trust, policies', async () => {
    const whole = user('whole', {
      kind: 'role',
      path: '/a/b/',
      tags: new Map([
        ['__proto__', 'x'],
        ['team', ''],
      ]),
      policies: [{ name: 'p', text: '{ "as": "put" }' }],
      boundary: '{}',
      trust: { text: '{}', principalIds: new Map([['arn:aws:iam::1:user/x', 'AIDAX']]) },
      sessionSecondsMax: 3600,
    })
    expect(await identities.principals.insert(whole, 10)).toBe('inserted')
    expect(await identities.principals.find(whole.principalId)).toEqual(whole)
    expect(await identities.principals.named(whole, 'WHOLE')).toEqual(whole)
    expect(await identities.find(whole.arn)).toEqual({ principalId: whole.principalId })
  })

  test('have names that are unique whatever their case, in their account and kind', async () => {
    expect(await identities.principals.insert(user('Case'), 10)).toBe('inserted')
    expect(await identities.principals.insert(user('cASE'), 10)).toBe('exists')
    expect(await identities.principals.insert(user('case', { kind: 'role' }), 10)).toBe('inserted')
    const elsewhere = user('case', { account: '444455556666' })
    expect(await identities.principals.insert(elsewhere, 10)).toBe('inserted')
  })

  test('are counted by account and kind', async () => {
    const many = { account: '444455556666', kind: 'role' } as const
    expect(await identities.principals.insert(user('r1', many), 2)).toBe('inserted')
    expect(await identities.principals.insert(user('r2', many), 2)).toBe('inserted')
    expect(await identities.principals.insert(user('r3', many), 2)).toBe('full')
  })

  test('are found by ARN only as it is written, path and case included', async () => {
    const made = user('pathed', { path: '/division/' })
    await identities.principals.insert(made, 10)
    expect(await identities.find(made.arn)).toBeDefined()
    expect(await identities.find(`arn:aws:iam::${ACCOUNT}:user/pathed`)).toBeUndefined()
    expect(await identities.find(`arn:aws:iam::${ACCOUNT}:user/division/Pathed`)).toBeUndefined()
    expect(await identities.find(`arn:aws:iam::${ACCOUNT}:role/division/pathed`)).toBeUndefined()
    expect(await identities.find(`arn:aws:iam::${ACCOUNT}:root`)).toEqual({ principalId: ACCOUNT })
    expect(await identities.find('arn:aws:iam::999900001111:root')).toBeUndefined()
  })

  test('made again have another id, and no name or copy leads to the old one', async () => {
    const first = user('again')
    await identities.principals.insert(first, 10)
    await identities.principals.named(first, 'again')
    expect(await identities.principals.remove(first.principalId)).toBe('removed')
    expect(await identities.principals.named(first, 'again')).toBeUndefined()
    expect(await identities.principals.find(first.principalId)).toBeUndefined()
    const second = user('again')
    await identities.principals.insert(second, 10)
    expect(await identities.find(first.arn)).toEqual({ principalId: second.principalId })
    expect(second.principalId).not.toBe(first.principalId)
  })

  test('change by an edit of what is there, which may refuse', async () => {
    const made = user('changing')
    await identities.principals.insert(made, 10)
    const tagged = await identities.principals.change(made.principalId, (now) => ({
      ...now,
      tags: new Map([['a', 'b']]),
    }))
    expect(tagged?.tags).toEqual(new Map([['a', 'b']]))
    const refusing = identities.principals.change(made.principalId, () => {
      throw new Error('refused')
    })
    await expect(refusing).rejects.toThrow('refused')
    expect((await identities.principals.find(made.principalId))?.tags.size).toBe(1)
    expect(await identities.principals.change('AIDAGONE', (now) => now)).toBeUndefined()
  })

  test('are listed by folded name and path', async () => {
    const of = { account: '444455556666', kind: 'user' } as const
    for (const [name, path] of [
      ['Zoe', '/x/'],
      ['adam', '/x/y/'],
      ['Eve', '/x%/'],
    ] as const) {
      await identities.principals.insert(user(name, { account: of.account, path }), 10)
    }
    const names = async (pathPrefix: string, after?: string) =>
      (await identities.principals.list({ ...of, pathPrefix }, { after, limit: 10 })).map(
        ({ name }) => name,
      )
    expect(await names('/x/')).toEqual(['adam', 'Zoe'])
    expect(await names('/x%/')).toEqual(['Eve'])
    expect(await names('/', foldedName('case'))).toEqual(['Eve', 'Zoe'])
  })

  test('with access keys or policies have to lose them first', async () => {
    const made = user('held', { policies: [{ name: 'p', text: '{}' }] })
    const { principalId } = made
    await identities.principals.insert(made, 10)
    expect(await identities.principals.remove(principalId)).toBe('in use')
    await identities.principals.change(principalId, (now) => ({ ...now, policies: [] }))
    await identities.accessKeys.insert({ ...accessKey('AKIAHELD'), principalId }, 2)
    expect(await identities.principals.remove(principalId)).toBe('in use')
    await identities.accessKeys.remove({ account: ACCOUNT, principalId }, 'AKIAHELD')
    expect(await identities.principals.remove(principalId)).toBe('removed')
    expect(await identities.principals.remove(principalId)).toBe('gone')
  })
})

function accessKey(accessKeyId: string) {
  return {
    accessKeyId,
    account: ACCOUNT,
    sealedSecret: 'c2VhbGVk',
    status: 'Active',
    createdMs: 7,
  } as const
}

describe('access keys', () => {
  test('belong to their owner alone', async () => {
    const root = { account: ACCOUNT }
    expect(await identities.accessKeys.insert(accessKey('AKIA1'), 2)).toBe('inserted')
    expect(await identities.accessKeys.insert(accessKey('AKIA1'), 2)).toBe('exists')
    expect(await identities.accessKeys.find('AKIA1')).toEqual(accessKey('AKIA1'))
    const other = { account: '444455556666' }
    expect(await identities.accessKeys.setStatus(other, 'AKIA1', 'Inactive')).toBe(false)
    expect(await identities.accessKeys.remove(other, 'AKIA1')).toBe(false)
    const made = user('keyed')
    await identities.principals.insert(made, 10)
    expect(await identities.accessKeys.remove(made, 'AKIA1')).toBe(false)
    expect(await identities.accessKeys.setStatus(root, 'AKIA1', 'Inactive')).toBe(true)
    expect((await identities.accessKeys.find('AKIA1'))?.status).toBe('Inactive')
    expect(await identities.accessKeys.insert(accessKey('AKIA2'), 2)).toBe('inserted')
    expect(await identities.accessKeys.insert(accessKey('AKIA3'), 2)).toBe('full')
    const listed = await identities.accessKeys.list(root, { limit: 10 })
    expect(listed.map(({ accessKeyId }) => accessKeyId)).toEqual(['AKIA1', 'AKIA2'])
    expect(await identities.accessKeys.remove(root, 'AKIA1')).toBe(true)
    expect(await identities.accessKeys.find('AKIA1')).toBeUndefined()
    const orphan = { ...accessKey('AKIA4'), principalId: 'AIDAGONE' }
    expect(await identities.accessKeys.insert(orphan, 2)).toBe('gone')
  })
})

describe('identity providers', () => {
  test('come and go', async () => {
    const provider = {
      arn: `arn:aws:iam::${ACCOUNT}:oidc-provider/issuer.example/realm`,
      account: ACCOUNT,
      issuer: 'https://issuer.example/realm',
      audiences: ['keyslot'],
      jwks: 'file:///keys.json',
      defaultRoleArn: undefined,
      sessionTags: new Map([['namespace', '/kubernetes.io/namespace']]),
      createdMs: 9,
    }
    expect(await identities.providers.any()).toBe(false)
    expect(await identities.providers.insert(provider, 1)).toBe('inserted')
    expect(await identities.providers.insert(provider, 1)).toBe('exists')
    expect(await identities.providers.insert({ ...provider, arn: 'other' }, 1)).toBe('full')
    expect(await identities.providers.find(provider.arn)).toEqual(provider)
    expect(await identities.providers.any()).toBe(true)
    const audiences = ['keyslot', 'other']
    await identities.providers.change(provider.arn, (now) => ({ ...now, audiences }))
    expect((await identities.providers.find(provider.arn))?.audiences).toEqual(audiences)
    expect(await identities.providers.remove(provider.arn)).toBe(true)
    expect(await identities.providers.find(provider.arn)).toBeUndefined()
  })
})

test.each([
  ['arn:aws:iam::111122223333:root', { kind: 'root', account: ACCOUNT }],
  [
    'arn:aws:iam::111122223333:user/a/b/c',
    { kind: 'user', account: ACCOUNT, path: '/a/b/', name: 'c' },
  ],
  ['arn:aws:iam::111122223333:role/r', { kind: 'role', account: ACCOUNT, path: '/', name: 'r' }],
  [
    'arn:aws:sts::111122223333:assumed-role/r/s1',
    { kind: 'session', account: ACCOUNT, role: 'r', session: 's1' },
  ],
  ['arn:aws:iam::111122223333:user/', undefined],
  ['arn:aws:iam::111122223333:user//a', undefined],
  ['arn:aws:iam::11112222333:root', undefined],
  ['arn:aws:iam::111122223333:root/x', undefined],
  ['arn:aws:sts::111122223333:assumed-role/r', undefined],
  ['arn:aws:sts::111122223333:assumed-role/a/r/s1', undefined],
])('%s is %o', (arn, expected) => {
  const named = parsePrincipalArn(arn)
  expect(named && { ...named }).toEqual(expected)
})

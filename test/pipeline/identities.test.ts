/** Who a caller is: names, access keys and sessions over a real token and a real store. */

import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createLifecycle } from '../../src/lifecycle/lifecycle.ts'
import {
  newAccessKey,
  newPrincipalId,
  OWN_ACCOUNT,
  type Principal,
  principalArn,
} from '../../src/model/identities/principal.ts'
import {
  accessKeyContext,
  packSession,
  type Session,
  sessionContext,
} from '../../src/model/identities/session.ts'
import type { Sealer } from '../../src/operations/operation.ts'
import { openSealer } from '../../src/pipeline/identities/own-key.ts'
import { createIdentities, type Identities } from '../../src/pipeline/identities.ts'
import { makePair } from '../lifecycle/fixture.ts'
import { authorised, encrypt, makeKey, place } from '../lifecycle/pair.ts'

const { account } = place
let nowMs = 1_000_000
let made: Awaited<ReturnType<typeof makePair>>
let sealer: Sealer
let identities: Identities

beforeAll(async () => {
  const clock = () => nowMs
  made = await makePair({}, clock)
  const { services, store, hsm } = made.pair
  const parts = { store, hsm: hsm.hsm, lifecycle: createLifecycle(services), clock }
  sealer = await openSealer(parts, place.region)
  identities = createIdentities({ store, sealer, region: place.region, clock })
  await store.identities.accounts.insert({ account, name: '', createdMs: 0 })
})
afterAll(() => made.pair.close())

const store = () => made.pair.store.identities

async function principal(kind: 'user' | 'role', name: string): Promise<Principal> {
  const path = '/team/'
  const one: Principal = {
    principalId: newPrincipalId(kind),
    account,
    kind,
    name,
    path,
    arn: principalArn(kind, { account, path, name }),
    description: '',
    tags: new Map([['team', name]]),
    policies: [{ name: 'p', text: `{"of":"${name}"}` }],
    boundary: '{"boundary":true}',
    createdMs: nowMs,
  }
  await store().principals.insert(one, 1000)
  return one
}

/** Removes a principal although it has policies. */
async function forget({ principalId }: Principal): Promise<void> {
  await store().principals.change(principalId, (now) => ({ ...now, policies: [] }))
  expect(await store().principals.remove(principalId)).toBe('removed')
}

async function accessKey(principalId?: string) {
  const { accessKeyId, secretAccessKey } = newAccessKey('AKIA')
  const sealed = await sealer.seal(Buffer.from(secretAccessKey), accessKeyContext(accessKeyId))
  const sealedSecret = sealed.toString('base64')
  const key = { accessKeyId, account, principalId, sealedSecret, status: 'Active' as const }
  expect(await store().accessKeys.insert({ ...key, createdMs: nowMs }, 10)).toBe('inserted')
  return { accessKeyId, secretAccessKey }
}

async function session(principalId: string | undefined, part: Partial<Session> = {}) {
  const { accessKeyId, secretAccessKey } = newAccessKey('ASIA')
  const whole: Session = {
    accessKeyId,
    secretAccessKey,
    account,
    principalId,
    tags: new Map(),
    policies: [],
    issuedMs: nowMs,
    expiresMs: nowMs + 900_000,
    ...part,
  }
  const sealed = await sealer.seal(packSession(whole), sessionContext(accessKeyId))
  return { ...whole, token: sealed.toString('base64') }
}

const invalid = { name: 'UnrecognizedClientException' }

describe('names', () => {
  test('lead to whoever has them now', async () => {
    const user = await principal('user', 'ada')
    const named = { account, kind: 'user', user: 'ada' } as const
    const caller = await identities.callerOf(named)
    expect(caller).toMatchObject({ arn: user.arn, kind: 'user', principalId: user.principalId })
    expect(caller.tags).toEqual(new Map([['team', 'ada']]))
    expect(await identities.policiesOf(caller)).toEqual({
      identityPolicies: user.policies,
      boundary: user.boundary,
    })
    await forget(user)
    await expect(identities.callerOf(named)).rejects.toMatchObject(invalid)
    expect(await identities.policiesOf(caller)).toEqual({ identityPolicies: [] })
    const successor = await principal('user', 'ada')
    const next = await identities.callerOf(named)
    expect(next.principalId).toBe(successor.principalId)
    expect(next.principalId).not.toBe(user.principalId)
  })

  test('lead to sessions of roles, without the path of the role', async () => {
    const role = await principal('role', 'app')
    const caller = await identities.callerOf({ account, kind: 'role', role: 'app', session: 's-1' })
    expect(caller).toMatchObject({
      arn: `arn:aws:sts::${account}:assumed-role/app/s-1`,
      roleArn: `arn:aws:iam::${account}:role/team/app`,
      principalId: `${role.principalId}:s-1`,
      kind: 'role',
    })
    expect((await identities.policiesOf(caller)).identityPolicies).toEqual(role.policies)
  })

  test.each([
    { account: '999900001111', kind: 'root' },
    { account: OWN_ACCOUNT, kind: 'root' },
    { account, kind: 'user', user: 'nobody' },
    { account, kind: 'role', role: 'ada', session: 'xx' },
    { account, kind: 'role', role: 'APP', session: 'xx' },
  ] as const)('of nobody are refused: %o', async (name) => {
    await expect(identities.callerOf(name)).rejects.toMatchObject(invalid)
  })
})

describe('access keys', () => {
  test('have secrets that stand in the database encrypted only', async () => {
    const { accessKeyId, secretAccessKey } = await accessKey()
    const credential = await identities.credential(accessKeyId)
    expect(credential?.secretAccessKey).toBe(secretAccessKey)
    expect(await credential?.caller()).toMatchObject({ kind: 'root', principalId: account })
    const bytes = Buffer.concat([readFileSync(made.path), readFileSync(`${made.path}-wal`)])
    expect(bytes.includes(accessKeyId)).toBe(true)
    expect(bytes.includes(secretAccessKey)).toBe(false)
    const inner = Buffer.from(secretAccessKey).toString('base64').slice(4, -4)
    expect(bytes.includes(inner)).toBe(false)
  })

  test('end at once when they are switched off, deleted, or their user is', async () => {
    const user = await principal('user', 'grace')
    const { accessKeyId } = await accessKey(user.principalId)
    const held = await identities.credential(accessKeyId)
    expect(await held?.caller()).toMatchObject({ arn: user.arn })
    await store().accessKeys.setStatus(user, accessKeyId, 'Inactive')
    expect(await identities.credential(accessKeyId)).toBeUndefined()
    await expect(held?.caller()).rejects.toMatchObject(invalid)
    await store().accessKeys.setStatus(user, accessKeyId, 'Active')
    expect(await held?.caller()).toMatchObject({ arn: user.arn })
    await store().accessKeys.remove(user, accessKeyId)
    expect(await identities.credential(accessKeyId)).toBeUndefined()
    await forget(user)
    await expect(held?.caller()).rejects.toMatchObject(invalid)
  })

  test('of nobody, or with a token, are none', async () => {
    const { accessKeyId } = await accessKey()
    expect(await identities.credential('AKIAAAAAAAAAAAAAAAAA')).toBeUndefined()
    expect(await identities.credential(accessKeyId, 'token')).toBeUndefined()
  })

  test('whose sealed secret was moved to another id do not open', async () => {
    const { accessKeyId } = await accessKey()
    const sealed = (await store().accessKeys.find(accessKeyId))?.sealedSecret ?? ''
    const other = newAccessKey('AKIA').accessKeyId
    const moved = { account, accessKeyId: other, sealedSecret: sealed, createdMs: nowMs }
    await store().accessKeys.insert({ ...moved, status: 'Active' }, 10)
    await expect(identities.credential(other)).rejects.toThrow()
  })
})

describe('sessions', () => {
  test('of a role carry tags and policies, and end with the role or their time', async () => {
    const role = await principal('role', 'batch')
    const begun = await session(role.principalId, {
      sessionName: 'night',
      tags: new Map([
        ['team', 'other'],
        ['run', '7'],
      ]),
      policies: ['{}'],
    })
    const credential = await identities.credential(begun.accessKeyId, begun.token)
    expect(credential?.secretAccessKey).toBe(begun.secretAccessKey)
    expect(await credential?.caller()).toMatchObject({
      arn: `arn:aws:sts::${account}:assumed-role/batch/night`,
      principalId: `${role.principalId}:night`,
      sessionPolicies: ['{}'],
      tags: new Map([
        ['team', 'other'],
        ['run', '7'],
      ]),
    })
    nowMs = begun.expiresMs
    await expect(credential?.caller()).rejects.toMatchObject({ name: 'ExpiredTokenException' })
    nowMs = begun.expiresMs - 1
    await credential?.caller()
    await forget(role)
    await principal('role', 'batch')
    await expect(credential?.caller()).rejects.toMatchObject(invalid)
  })

  test('are those of their own access key, whole', async () => {
    const role = await principal('role', 'whole')
    const one = await session(role.principalId, { sessionName: 'one' })
    const two = await session(role.principalId, { sessionName: 'two' })
    expect(await identities.credential(one.accessKeyId, two.token)).toBeUndefined()
    expect(await identities.credential(one.accessKeyId)).toBeUndefined()
    // Of each length of padding, since decoders stop at it.
    const names = ['one', 'the1', 'other']
    const own = await Promise.all(
      names.map((sessionName) => session(role.principalId, { sessionName })),
    )
    for (const { accessKeyId, token } of own) {
      expect(await identities.credential(accessKeyId, token)).toBeDefined()
      for (const other of [`${token}AAAA`, `${token}=`, ` ${token}`, token.replace('+', '-')]) {
        if (other === token) continue
        expect(await identities.credential(accessKeyId, other)).toBeUndefined()
      }
    }
    for (const token of ['', 'x', one.token.slice(0, -8), one.token.slice(4)]) {
      expect(await identities.credential(one.accessKeyId, token)).toBeUndefined()
    }
  })

  test('are not made of the ciphertexts of another key', async () => {
    const key = authorised(await makeKey(made.pair.services))
    const token = await encrypt(made.pair, key)
    expect(await identities.credential('ASIAAAAAAAAAAAAAAAAA', token)).toBeUndefined()
  })

  test('that are too long are refused in words', () => {
    const random = (bytes: number) => randomBytes(bytes).toString('base64')
    const whole = {
      ...newAccessKey('ASIA'),
      account,
      tags: new Map(Array.from({ length: 50 }, (_, at) => [`${at}`, random(60)])),
      policies: [random(1500)],
      issuedMs: 0,
      expiresMs: 1,
    }
    expect(() => packSession(whole)).toThrow(
      expect.objectContaining({ name: 'PackedPolicyTooLargeException' }),
    )
  })
})

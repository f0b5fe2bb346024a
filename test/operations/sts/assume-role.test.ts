/** AssumeRole: who may, for how long, and what becomes of the session. */

import { beforeAll, describe, expect, test } from 'vitest'
import { call, service, useService } from '../service.ts'

useService()

const account = '111122223333'
const OTHER = '444455556666'
const denied = { name: 'AccessDeniedException' }

function statement(part: object): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', ...part } })
}
const trusting = (AWS: string, part: object = {}) =>
  statement({ Principal: { AWS }, Action: ['sts:AssumeRole', 'sts:TagSession'], ...part })
const spiffe = (path: string, of = account) => `spiffe://keyslot/account/${of}/${path}`
const ada = () => service().clientOf(spiffe('user/ada'))
const bob = () => service().clientOf(spiffe('user/bob'))

async function newRole(roleName: string, assumeRolePolicyDocument: string): Promise<string> {
  const { role } = await call('CreateRole', { roleName, assumeRolePolicyDocument })
  return role?.arn ?? ''
}

beforeAll(async () => {
  for (const userName of ['ada', 'bob']) await call('CreateUser', { userName })
  await call('PutUserPolicy', {
    userName: 'ada',
    policyName: 'assume',
    policyDocument: statement({ Action: 'sts:AssumeRole', Resource: '*' }),
  })
})

describe('in the same account', () => {
  test('a trusted user needs no policy, one of a trusted account does', async () => {
    const named = await newRole('named', trusting(`arn:aws:iam::${account}:user/bob`))
    const whole = await newRole('whole', trusting(account))
    const roleSessionName = 'one'
    const { assumedRoleUser } = await bob().call('AssumeRole', { roleArn: named, roleSessionName })
    expect(assumedRoleUser?.arn).toBe(`arn:aws:sts::${account}:assumed-role/named/one`)
    await expect(
      bob().call('AssumeRole', { roleArn: whole, roleSessionName }),
    ).rejects.toMatchObject(denied)
    await ada().call('AssumeRole', { roleArn: whole, roleSessionName })
    await expect(
      ada().call('AssumeRole', { roleArn: named, roleSessionName }),
    ).rejects.toMatchObject(denied)
  })

  test('a denial anywhere wins', async () => {
    const roleArn = await newRole('kept', trusting(`arn:aws:iam::${account}:user/bob`))
    const policyDocument = statement({ Effect: 'Deny', Action: 'sts:*', Resource: roleArn })
    await call('PutUserPolicy', { userName: 'bob', policyName: 'no', policyDocument })
    const request = { roleArn, roleSessionName: 'one' }
    await expect(bob().call('AssumeRole', request)).rejects.toMatchObject(denied)
    await call('DeleteUserPolicy', { userName: 'bob', policyName: 'no' })
    await bob().call('AssumeRole', request)
  })

  test('a user made again is not the one who was trusted', async () => {
    await call('CreateUser', { userName: 'eve' })
    const roleArn = await newRole('evil', trusting(`arn:aws:iam::${account}:user/eve`))
    const eve = service().clientOf(spiffe('user/eve'))
    const request = { roleArn, roleSessionName: 'one' }
    await eve.call('AssumeRole', request)
    await call('DeleteUser', { userName: 'eve' })
    const gone = { name: 'UnrecognizedClientException' }
    await expect(eve.call('AssumeRole', request)).rejects.toMatchObject(gone)
    await call('CreateUser', { userName: 'eve' })
    await expect(eve.call('AssumeRole', request)).rejects.toMatchObject(denied)
  })
})

describe('from another account', () => {
  test('it takes the trust policy there and an identity policy here', async () => {
    const operator = service().clientOf(OTHER)
    await operator.call('CreateUser', { userName: 'guest' })
    const guest = service().clientOf(spiffe('user/guest', OTHER))
    const roleArn = await newRole('guests', trusting(`arn:aws:iam::${OTHER}:user/guest`))
    const closed = await newRole('closed', trusting(account))
    const request = { roleArn, roleSessionName: 'one' }
    await expect(guest.call('AssumeRole', request)).rejects.toMatchObject(denied)
    await operator.call('PutUserPolicy', {
      userName: 'guest',
      policyName: 'assume',
      policyDocument: statement({ Action: 'sts:AssumeRole', Resource: '*' }),
    })
    await guest.call('AssumeRole', request)
    const refusals = [closed, `arn:aws:iam::${account}:role/nothing`].map((arn) =>
      guest.call('AssumeRole', { roleArn: arn, roleSessionName: 'one' }).catch((e: Error) => e),
    )
    const [there, nowhere] = (await Promise.all(refusals)) as Error[]
    expect(there).toMatchObject(denied)
    expect(nowhere?.message).toBe(there?.message.replace('role/closed', 'role/nothing'))
  })
})

test('conditions are asked: external id, session name, tags', async () => {
  const condition = {
    StringEquals: { 'sts:ExternalId': 'secret-7', 'aws:RequestTag/team': 'blue' },
    StringLike: { 'sts:RoleSessionName': 'ci-*' },
  }
  const roleArn = await newRole('careful', trusting(account, { Condition: condition }))
  const tags = [{ key: 'team', value: 'blue' }]
  const sound = { roleArn, roleSessionName: 'ci-1', externalId: 'secret-7', tags }
  await call('PutUserPolicy', {
    userName: 'ada',
    policyName: 'tag',
    policyDocument: statement({ Action: 'sts:TagSession', Resource: '*' }),
  })
  await ada().call('AssumeRole', sound)
  for (const part of [{ externalId: 'other' }, { roleSessionName: 'x1' }, { tags: [] }]) {
    const call = ada().call('AssumeRole', { ...sound, ...part })
    await expect(call).rejects.toMatchObject(denied)
  }
})

test('a session lasts as long as its role lets it', async () => {
  const roleArn = await newRole('short', trusting(account))
  const request = { roleArn, roleSessionName: 'one' }
  const refused = ada().call('AssumeRole', { ...request, durationSeconds: 3601 })
  await expect(refused).rejects.toMatchObject({ name: 'ValidationException' })
  const { credentials } = await ada().call('AssumeRole', { ...request, durationSeconds: 900 })
  expect(credentials?.expiration).toEqual(new Date(service().clock() + 900_000))
})

test('a source identity takes a permission, and is on the record', async () => {
  const policy = trusting(`arn:aws:iam::${account}:user/bob`)
  const roleArn = await newRole('spoken', policy)
  const request = { roleArn, roleSessionName: 'one', sourceIdentity: 'bob' }
  await expect(bob().call('AssumeRole', request)).rejects.toMatchObject(denied)
  const policyDocument = policy.replace('sts:TagSession', 'sts:SetSourceIdentity')
  await call('UpdateAssumeRolePolicy', { roleName: 'spoken', policyDocument })
  await bob().call('AssumeRole', request)
})

test('session policies are read before the session begins', async () => {
  const roleArn = await newRole('bounded', trusting(account))
  const refused = ada().call('AssumeRole', { roleArn, roleSessionName: 'one', policy: '{}' })
  await expect(refused).rejects.toMatchObject({ name: 'MalformedPolicyDocumentException' })
})

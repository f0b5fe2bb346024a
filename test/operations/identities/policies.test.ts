/** What users and roles may do of the operations on users and roles, by their policies. */

import { beforeAll, expect, test } from 'vitest'
import { call, service, useService } from '../service.ts'

useService()

const account = '111122223333'
const denied = { name: 'AccessDeniedException' }
const as = (path: string) => service().clientOf(`spiffe://keyslot/account/${account}/${path}`)

function allowing(...statements: readonly object[]): string {
  const allowed = statements.map((each) => ({ Effect: 'Allow', ...each }))
  return JSON.stringify({ Version: '2012-10-17', Statement: allowed })
}

async function give(userName: string, ...statements: readonly object[]): Promise<void> {
  const policyDocument = allowing(...statements)
  await call('PutUserPolicy', { userName, policyName: 'test', policyDocument })
}

beforeAll(async () => {
  for (const userName of ['ada', 'bob', 'admin', 'bounded']) await call('CreateUser', { userName })
})

test('a policy gives, and takes away, when it is acknowledged', async () => {
  const refused = () => expect(as('user/ada').call('ListUsers', {})).rejects.toMatchObject(denied)
  await refused()
  await give('ada', { Action: 'iam:ListUsers', Resource: '*' })
  await as('user/ada').call('ListUsers', {})
  await call('DeleteUserPolicy', { userName: 'ada', policyName: 'test' })
  await refused()
})

test('a variable lets everybody see to their own access keys, and to nobody else', async () => {
  const own = `arn:aws:iam::${account}:user/\${aws:username}`
  await give('ada', { Action: 'iam:*AccessKey*', Resource: own })
  const { accessKey } = await as('user/ada').call('CreateAccessKey', {})
  expect(accessKey?.userName).toBe('ada')
  await as('user/ada').call('ListAccessKeys', { userName: 'ada' })
  for (const userName of ['bob', 'nobody']) {
    const stolen = as('user/ada').call('CreateAccessKey', { userName })
    await expect(stolen).rejects.toMatchObject(denied)
  }
  await expect(as('user/ada').call('GetUser', {})).rejects.toMatchObject(denied)
})

test('a path bounds an administrator to the users of a team', async () => {
  await give('admin', { Action: 'iam:*', Resource: `arn:aws:iam::${account}:user/team/*` })
  const admin = as('user/admin')
  await admin.call('CreateUser', { userName: 'member', path: '/team/' })
  await admin.call('PutUserPolicy', {
    userName: 'member',
    policyName: 'p',
    policyDocument: allowing({ Action: 'kms:*', Resource: '*' }),
  })
  const elsewhere = admin.call('CreateUser', { userName: 'other', path: '/other/' })
  await expect(elsewhere).rejects.toMatchObject(denied)
  await expect(admin.call('DeleteUser', { userName: 'bob' })).rejects.toMatchObject(denied)
  const role = { roleName: 'r', assumeRolePolicyDocument: '{}', path: '/team/' }
  await expect(admin.call('CreateRole', role)).rejects.toMatchObject(denied)
  await expect(admin.call('CreateAccount', { accountName: 'x' })).rejects.toMatchObject(denied)
})

test('tags decide, of the caller and of the resource', async () => {
  await call('TagUser', { userName: 'bob', tags: [{ key: 'team', value: 'blue' }] })
  for (const [userName, team] of [
    ['mate', 'blue'],
    ['rival', 'red'],
  ] as const) {
    await call('CreateUser', { userName, tags: [{ key: 'team', value: team }] })
  }
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a policy variable.
  const team = '${aws:PrincipalTag/team}'
  await give('bob', {
    Action: ['iam:GetUser', 'iam:TagUser'],
    Resource: '*',
    Condition: { StringEquals: { 'aws:ResourceTag/team': team } },
  })
  await as('user/bob').call('GetUser', { userName: 'mate' })
  const rival = as('user/bob').call('GetUser', { userName: 'rival' })
  await expect(rival).rejects.toMatchObject(denied)
  await call('UntagUser', { userName: 'bob', tagKeys: ['team'] })
  const mate = as('user/bob').call('GetUser', { userName: 'mate' })
  await expect(mate).rejects.toMatchObject(denied)
})

test('a boundary bounds what policies give', async () => {
  const userName = 'bounded'
  await give(userName, { Action: '*', Resource: '*' })
  await as('user/bounded').call('ListRoles', {})
  const permissionsBoundary = allowing({ Action: 'iam:ListUsers', Resource: '*' })
  await call('PutUserPermissionsBoundary', { userName, permissionsBoundary })
  await as('user/bounded').call('ListUsers', {})
  await expect(as('user/bounded').call('ListRoles', {})).rejects.toMatchObject(denied)
  const freed = as('user/bounded').call('DeleteUserPermissionsBoundary', { userName })
  await expect(freed).rejects.toMatchObject(denied)
})

test('a role has its policies in each of its sessions, and its successor none of them', async () => {
  const roleName = 'reader'
  const assumeRolePolicyDocument = allowing({
    Principal: { AWS: account },
    Action: 'sts:AssumeRole',
  })
  await call('CreateRole', { roleName, assumeRolePolicyDocument })
  const policyDocument = allowing({ Action: 'iam:List*', Resource: '*' })
  await call('PutRolePolicy', { roleName, policyName: 'p', policyDocument })
  await as('role/reader/s1').call('ListUsers', {})
  await as('role/reader/s2').call('ListUsers', {})
  await call('DeleteRolePolicy', { roleName, policyName: 'p' })
  await call('DeleteRole', { roleName })
  const gone = { name: 'UnrecognizedClientException' }
  await expect(as('role/reader/s1').call('ListUsers', {})).rejects.toMatchObject(gone)
  await call('CreateRole', { roleName, assumeRolePolicyDocument })
  await expect(as('role/reader/s1').call('ListUsers', {})).rejects.toMatchObject(denied)
})

test("a key's policy that names a user means that one, not who is made after under the name", async () => {
  await call('CreateUser', { userName: 'holder' })
  const holder = `arn:aws:iam::${account}:user/holder`
  const everybody = { Principal: { AWS: account }, Action: 'kms:*', Resource: '*' }
  const named = { Principal: { AWS: holder }, Action: 'kms:Encrypt', Resource: '*' }
  const { keyMetadata } = await call('CreateKey', { policy: allowing(everybody, named) })
  const encrypt = () =>
    as('user/holder').call('Encrypt', {
      keyId: keyMetadata?.keyId,
      plaintext: Buffer.from('secret'),
    })
  await encrypt()
  await call('DeleteUser', { userName: 'holder' })
  await call('CreateUser', { userName: 'holder' })
  await expect(encrypt()).rejects.toMatchObject(denied)
})

/** The operations on roles, as the account's root. */

import { expect, test } from 'vitest'
import { call, expectFailure, service, useService } from '../service.ts'

useService()

const account = '111122223333'
const POLICY = JSON.stringify({ Statement: { Effect: 'Deny', Action: '*', Resource: '*' } })

function trusting(principal: unknown): string {
  const statement = { Effect: 'Allow', Principal: principal, Action: 'sts:AssumeRole' }
  return JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
}
const TRUST = trusting({ AWS: account })

test('a role is made, described, listed and deleted', async () => {
  const { role } = await call('CreateRole', {
    roleName: 'App',
    path: '/svc/',
    assumeRolePolicyDocument: TRUST,
    description: 'for tests',
    maxSessionDuration: 7200,
    tags: [{ key: 'team', value: 'blue' }],
  })
  expect(role).toEqual({
    path: '/svc/',
    roleName: 'App',
    roleId: expect.stringMatching(/^AROA[A-Z2-7]{17}$/),
    arn: `arn:aws:iam::${account}:role/svc/App`,
    createDate: new Date(service().clock()),
    assumeRolePolicyDocument: TRUST,
    description: 'for tests',
    maxSessionDuration: 7200,
    tags: [{ key: 'team', value: 'blue' }],
  })
  expect((await call('GetRole', { roleName: 'app' })).role).toEqual(role)
  expect((await call('ListRoles', {})).roles).toEqual([role])
  await call('DeleteRole', { roleName: 'App' })
  await expectFailure('GetRole', { roleName: 'App' }, 'NoSuchEntityException', 'role')
})

test('what users have, roles have too', async () => {
  const roleName = 'like-users'
  await call('CreateRole', { roleName, assumeRolePolicyDocument: TRUST })
  await call('TagRole', { roleName, tags: [{ key: 'a', value: '1' }] })
  expect((await call('GetRole', { roleName })).role?.tags).toEqual([{ key: 'a', value: '1' }])
  await call('UntagRole', { roleName, tagKeys: ['a'] })
  expect((await call('GetRole', { roleName })).role?.tags).toEqual([])
  await call('PutRolePolicy', { roleName, policyName: 'p', policyDocument: POLICY })
  expect((await call('ListRolePolicies', { roleName })).policyNames).toEqual(['p'])
  expect(await call('GetRolePolicy', { roleName, policyName: 'p' })).toEqual({
    roleName,
    policyName: 'p',
    policyDocument: POLICY,
  })
  await expectFailure('DeleteRole', { roleName }, 'DeleteConflictException')
  await call('DeleteRolePolicy', { roleName, policyName: 'p' })
  await call('PutRolePermissionsBoundary', { roleName, permissionsBoundary: POLICY })
  expect((await call('GetRole', { roleName })).role?.permissionsBoundary).toBe(POLICY)
  await call('DeleteRolePermissionsBoundary', { roleName })
  expect((await call('GetRole', { roleName })).role?.permissionsBoundary).toBeUndefined()
  await call('DeleteRole', { roleName })
})

test('trust policies name those who exist, and no others', async () => {
  await call('CreateUser', { userName: 'trusted', path: '/t/' })
  const arn = `arn:aws:iam::${account}:user/t/trusted`
  const roleName = 'trusting'
  await call('CreateRole', { roleName, assumeRolePolicyDocument: trusting({ AWS: arn }) })
  for (const wrong of [
    `arn:aws:iam::${account}:user/trusted`,
    `arn:aws:iam::${account}:role/t/trusted`,
    'arn:aws:iam::999900001111:user/t/trusted',
  ]) {
    const policyDocument = trusting({ AWS: wrong })
    await expectFailure(
      'UpdateAssumeRolePolicy',
      { roleName, policyDocument },
      'MalformedPolicyDocumentException',
      'Invalid principal in policy',
    )
  }
  const policyDocument = trusting({ Service: 'backup.amazonaws.com' })
  await call('UpdateAssumeRolePolicy', { roleName, policyDocument })
  const { role } = await call('GetRole', { roleName })
  expect(role?.assumeRolePolicyDocument).toBe(policyDocument)
})

test.each([POLICY, '{}', 'null', '{"Statement":[]}', trusting({ AWS: 'nobody' })])(
  '%s is no trust policy',
  async (assumeRolePolicyDocument) => {
    const request = { roleName: 'never', assumeRolePolicyDocument }
    await expectFailure('CreateRole', request, 'MalformedPolicyDocumentException')
  },
)

test('sessions last an hour to twelve', async () => {
  const request = { roleName: 'long', assumeRolePolicyDocument: TRUST, maxSessionDuration: 43_201 }
  await expectFailure('CreateRole', request, 'ValidationException', '43200')
})

/** The operations on users, as the account's root. */

import { expect, test } from 'vitest'
import { call, expectFailure, service, useService } from '../service.ts'

useService()

const POLICY = JSON.stringify({
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Action: 'kms:*', Resource: '*' },
})
const account = '111122223333'

test('a user is made, described, listed and deleted', async () => {
  const { user } = await call('CreateUser', {
    userName: 'Ada',
    path: '/team/',
    tags: [{ key: 'team', value: 'blue' }],
    permissionsBoundary: POLICY,
  })
  expect(user).toEqual({
    path: '/team/',
    userName: 'Ada',
    userId: expect.stringMatching(/^AIDA[A-Z2-7]{17}$/),
    arn: `arn:aws:iam::${account}:user/team/Ada`,
    createDate: new Date(service().clock()),
    permissionsBoundary: POLICY,
    tags: [{ key: 'team', value: 'blue' }],
  })
  expect((await call('GetUser', { userName: 'ada' })).user).toEqual(user)
  expect((await call('ListUsers', { pathPrefix: '/team/' })).users).toEqual([user])
  await expectFailure('CreateUser', { userName: 'ADA' }, 'EntityAlreadyExistsException', 'ADA')
  await call('DeleteUser', { userName: 'Ada' })
  await expectFailure('GetUser', { userName: 'Ada' }, 'NoSuchEntityException', 'name Ada')
  await expectFailure('DeleteUser', { userName: 'Ada' }, 'NoSuchEntityException')
  const { user: again } = await call('CreateUser', { userName: 'Ada', path: '/team/' })
  expect(again?.arn).toBe(user?.arn)
  expect(again?.userId).not.toBe(user?.userId)
})

test('GetUser without a name is about whoever calls', async () => {
  const { user } = await call('GetUser')
  expect(user).toMatchObject({ arn: `arn:aws:iam::${account}:root`, userId: account })
})

test('users are listed page by page', async () => {
  for (const name of ['p1', 'p2', 'p3']) await call('CreateUser', { userName: name, path: '/p/' })
  const first = await call('ListUsers', { pathPrefix: '/p/', limit: 2 })
  expect(first).toMatchObject({ truncated: true, users: [{ userName: 'p1' }, { userName: 'p2' }] })
  const { nextMarker: marker } = first
  const second = await call('ListUsers', { pathPrefix: '/p/', limit: 2, marker })
  expect(second).toMatchObject({ truncated: false, users: [{ userName: 'p3' }] })
  await expectFailure('ListUsers', { marker }, 'InvalidMarkerException')
})

test('tags come and go', async () => {
  await call('CreateUser', { userName: 'tagged' })
  const tags = async () => (await call('GetUser', { userName: 'tagged' })).user?.tags
  await call('TagUser', { userName: 'tagged', tags: [{ key: 'a', value: '1' }] })
  await call('TagUser', {
    userName: 'tagged',
    tags: [
      { key: 'a', value: '2' },
      { key: 'b', value: '' },
    ],
  })
  expect(await tags()).toEqual([
    { key: 'a', value: '2' },
    { key: 'b', value: '' },
  ])
  await call('UntagUser', { userName: 'tagged', tagKeys: ['a', 'zzz'] })
  expect(await tags()).toEqual([{ key: 'b', value: '' }])
  // Names that differ in case only are one.
  await call('TagUser', { userName: 'tagged', tags: [{ key: 'B', value: '2' }] })
  expect(await tags()).toEqual([{ key: 'B', value: '2' }])
  const twice = ['b', 'B'].map((key) => ({ key, value: '' }))
  await expectFailure('TagUser', { userName: 'tagged', tags: twice }, 'TagException')
  await call('UntagUser', { userName: 'tagged', tagKeys: ['b'] })
  expect(await tags()).toEqual([])
  await call('TagUser', { userName: 'tagged', tags: [{ key: 'b', value: '' }] })
  const many = Array.from({ length: 50 }, (_, at) => ({ key: `t${at}`, value: '' }))
  await expectFailure('TagUser', { userName: 'tagged', tags: many }, 'LimitExceededException')
  const reserved = [{ key: 'aws:x', value: '' }]
  await expectFailure('TagUser', { userName: 'tagged', tags: reserved }, 'TagException')
})

test('policies come back as they were put, and must go before the user does', async () => {
  const userName = 'writer'
  const text = POLICY.replaceAll(',', ' ,\n')
  await call('CreateUser', { userName })
  await call('PutUserPolicy', { userName, policyName: 'b', policyDocument: POLICY })
  await call('PutUserPolicy', { userName, policyName: 'a', policyDocument: POLICY })
  await call('PutUserPolicy', { userName, policyName: 'a', policyDocument: text })
  expect(await call('ListUserPolicies', { userName })).toMatchObject({ policyNames: ['a', 'b'] })
  expect(await call('GetUserPolicy', { userName, policyName: 'a' })).toEqual({
    userName,
    policyName: 'a',
    policyDocument: text,
  })
  await expectFailure('DeleteUser', { userName }, 'DeleteConflictException', 'policies')
  for (const policyName of ['a', 'b']) await call('DeleteUserPolicy', { userName, policyName })
  const gone = { userName, policyName: 'a' }
  await expectFailure('GetUserPolicy', gone, 'NoSuchEntityException', 'policy with name a')
  await expectFailure('DeleteUserPolicy', gone, 'NoSuchEntityException')
  await call('DeleteUser', { userName })
})

test('a boundary is put and removed', async () => {
  const userName = 'bounded'
  await call('CreateUser', { userName })
  await call('PutUserPermissionsBoundary', { userName, permissionsBoundary: POLICY })
  expect((await call('GetUser', { userName })).user?.permissionsBoundary).toBe(POLICY)
  await call('DeleteUserPermissionsBoundary', { userName })
  expect((await call('GetUser', { userName })).user?.permissionsBoundary).toBeUndefined()
})

test('what is no policy is refused with its place', async () => {
  await call('CreateUser', { userName: 'strict' })
  const policy = JSON.parse(POLICY)
  policy.Statement.Principal = '*'
  const request = { userName: 'strict', policyName: 'p', policyDocument: JSON.stringify(policy) }
  await expectFailure('PutUserPolicy', request, 'MalformedPolicyDocumentException', 'Principal')
  const boundary = { userName: 'strict', permissionsBoundary: '{}' }
  await expectFailure('PutUserPermissionsBoundary', boundary, 'MalformedPolicyDocumentException')
})

test.each(['', 'a b', 'a/b', 'a'.repeat(65), 'ä', 'a*'])('%j is no name', async (userName) => {
  await expectFailure('CreateUser', { userName }, 'ValidationException')
})

test.each(['a', '/a', 'a/', '/a b/'])('%j is no path', async (path) => {
  await expectFailure('CreateUser', { userName: 'x', path }, 'ValidationException')
})

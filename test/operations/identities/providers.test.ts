/** The operations on identity providers, as an account's root. */

import { expect, test } from 'vitest'
import { call, expectFailure, service, useService } from '../service.ts'

useService()

const account = '111122223333'
const KEYS = '{"keys":[]}'

test('a provider is made, described, changed, listed and deleted', async () => {
  const sessionTags = new Map([['namespace', '/kubernetes.io/namespace']])
  const request = {
    url: 'https://oidc.example/id/A1',
    clientIdList: ['keyslot'],
    jwks: KEYS,
    sessionTags,
  }
  const arn = `arn:aws:iam::${account}:oidc-provider/oidc.example/id/A1`
  const made = await call('CreateOpenIDConnectProvider', request)
  expect(made).toEqual({ openIdConnectProviderArn: arn })
  expect(await call('GetOpenIDConnectProvider', made)).toEqual({
    ...request,
    createDate: new Date(service().clock()),
  })
  const defaultRoleArn = `arn:aws:iam::${account}:role/app`
  await call('UpdateOpenIDConnectProvider', {
    ...made,
    clientIdList: ['keyslot', 'other'],
    jwks: 'https://oidc.example/keys',
    defaultRoleArn,
  })
  expect(await call('GetOpenIDConnectProvider', made)).toMatchObject({
    url: request.url,
    clientIdList: ['keyslot', 'other'],
    defaultRoleArn,
    sessionTags: new Map(),
  })
  const listed = await call('ListOpenIDConnectProviders')
  expect(listed.openIdConnectProviderList).toEqual([{ arn }])
  await expectFailure(
    'CreateOpenIDConnectProvider',
    request,
    'EntityAlreadyExistsException',
    request.url,
  )
  await call('DeleteOpenIDConnectProvider', made)
  await expectFailure('GetOpenIDConnectProvider', made, 'NoSuchEntityException')
  const gone = { ...made, clientIdList: ['x'], jwks: KEYS }
  await expectFailure('UpdateOpenIDConnectProvider', gone, 'NoSuchEntityException')
})

test.each([
  [{ jwks: 'keys.json' }, 'Jwks'],
  [{ jwks: 'file:///etc/passwd' }, 'Jwks'],
  [{ jwks: '{"keys":1}' }, 'Jwks'],
  [{ jwks: '{' }, 'Jwks'],
  [{ defaultRoleArn: `arn:aws:iam::${account}:user/someone` }, 'role'],
  [{ defaultRoleArn: 'arn:aws:iam::777788889999:role/app' }, '777788889999'],
  [{ sessionTags: new Map([['a', 'no-pointer']]) }, 'pointer'],
  [{ clientIdList: [] }, 'clientIdList'],
  [{ url: 'issuer.example' }, 'url'],
  [{ url: 'https://issuer.example/?a=b' }, 'url'],
])('refuses %o', async (part, words) => {
  const whole = { url: 'https://refused.example', clientIdList: ['a'], jwks: KEYS, ...part }
  await expectFailure('CreateOpenIDConnectProvider', whole, 'ValidationException', words)
})

test("keys without TLS, and default roles, are the operator's to give", async () => {
  const { account: made } = await call('CreateAccount', { accountName: 'tenant' })
  const tenant = service().clientOf(made?.id ?? '')
  const request = { url: 'https://a.example', clientIdList: ['a'], jwks: KEYS }
  const plain = { jwks: 'http://127.0.0.1:1/' }
  const defaultOf = (id = '') => ({ defaultRoleArn: `arn:aws:iam::${id}:role/app` })
  for (const part of [plain, defaultOf(made?.id)]) {
    const denied = tenant.call('CreateOpenIDConnectProvider', { ...request, ...part })
    await expect(denied).rejects.toMatchObject({ name: 'AccessDeniedException' })
  }
  await call('CreateOpenIDConnectProvider', { ...request, ...plain, ...defaultOf(account) })
})

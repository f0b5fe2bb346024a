/** GetCallerIdentity and GetSessionToken. */

import { expect, test } from 'vitest'
import { call, expectFailure, useService } from '../service.ts'

useService()

test('GetCallerIdentity says who calls', async () => {
  const identity = await call('GetCallerIdentity')
  expect(identity).toMatchObject({
    account: '111122223333',
    arn: 'arn:aws:iam::111122223333:root',
  })
})

test('GetSessionToken makes temporary credentials', async () => {
  const { credentials } = await call('GetSessionToken', { durationSeconds: 900 })
  expect(credentials).toMatchObject({
    accessKeyId: expect.stringMatching(/^ASIA[A-Z2-7]{16}$/),
    secretAccessKey: expect.stringMatching(/^[A-Za-z0-9/+]{40}$/),
  })
})

test('no session begins with a second factor that nobody looks at', async () => {
  const mfa = { serialNumber: 'arn:aws:iam::111122223333:mfa/ada', tokenCode: '123456' }
  await expectFailure('GetSessionToken', mfa, 'AccessDeniedException')
  const roleArn = 'arn:aws:iam::111122223333:role/any'
  const request = { roleArn, roleSessionName: 'one', ...mfa }
  await expectFailure('AssumeRole', request, 'AccessDeniedException')
})

test('a root assumes no role, and garbage is no web identity', async () => {
  const statement = { Effect: 'Allow', Principal: '*', Action: 'sts:*' }
  const assumeRolePolicyDocument = JSON.stringify({ Statement: statement })
  const { role } = await call('CreateRole', { roleName: 'open', assumeRolePolicyDocument })
  const request = { roleArn: role?.arn ?? '', roleSessionName: 'one' }
  await expectFailure('AssumeRole', request, 'AccessDeniedException')
  const webIdentityToken = 'garbage'
  const failure = 'InvalidIdentityTokenException'
  await expectFailure('AssumeRoleWithWebIdentity', { ...request, webIdentityToken }, failure)
})

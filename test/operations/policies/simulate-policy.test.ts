/** SimulatePolicy. */

import { expect, test } from 'vitest'
import {
  callAs,
  expectAllowed,
  expectDenied,
  expectFailureAs,
  keyStatement,
  newKey,
  newSession,
  newUser,
  OTHER_ACCOUNT,
  ownStatement,
  ROOT_STATEMENT,
  rootOf,
  useInstallation,
} from '../installation.ts'

useInstallation()

const simulate = (principalArn: string, action: string, part: object = {}) =>
  callAs(rootOf(), 'SimulatePolicy', { principalArn, action, ...part })

test('says what decides: key policy, identity policy, grant, and what denies', async () => {
  const ann = await newUser('ann', {
    statements: [ownStatement('kms:Decrypt'), ownStatement('kms:ListKeys', { Sid: 'Lists' })],
  })
  const app = await newSession('app', 'one')
  const { keyId, arn } = await newKey([
    ROOT_STATEMENT,
    keyStatement({ AWS: app.roleArn }, ['kms:Encrypt', 'kms:Sign'], { Sid: 'App' }),
    keyStatement('*', 'kms:Sign', { Effect: 'Deny', Sid: 'Nobody' }),
  ])
  const aliasName = 'alias/simulated'
  await callAs(rootOf(), 'CreateAlias', { aliasName, targetKeyId: keyId })
  const allowed = { decision: 'ALLOWED' }
  const byKeyPolicy = { ...allowed, source: 'KEY_POLICY', statement: 'App' }
  for (const principalArn of [app.arn, app.roleArn]) {
    expect(await simulate(principalArn, 'kms:Encrypt', { keyId })).toEqual(byKeyPolicy)
  }
  expect(await simulate(ann.arn, 'kms:Decrypt', { keyId: arn })).toEqual({
    ...allowed,
    source: 'IDENTITY_POLICY',
    name: 'own',
    statement: '0',
  })
  const denial = { decision: 'EXPLICIT_DENY', source: 'KEY_POLICY', statement: 'Nobody' }
  expect(await simulate(app.arn, 'kms:Sign', { keyId: aliasName })).toEqual(denial)
  const nothing = { decision: 'IMPLICIT_DENY' }
  expect(await simulate(ann.arn, 'kms:Encrypt', { keyId })).toEqual(nothing)
  const grant = { keyId, granteePrincipal: ann.arn, operations: ['Encrypt' as const] }
  const constraints = { encryptionContextEquals: new Map([['a', 'b']]) }
  const { grantId } = await callAs(rootOf(), 'CreateGrant', {
    ...grant,
    constraints: { ...constraints, encryptionContextSubset: new Map() },
  })
  expect(await simulate(ann.arn, 'kms:Encrypt', { keyId })).toEqual(nothing)
  const encryptionContext = new Map([['a', 'b']])
  expect(await simulate(ann.arn, 'kms:Encrypt', { keyId, encryptionContext })).toEqual({
    ...allowed,
    source: 'GRANT',
    name: grantId,
  })
  expect(await simulate(ann.arn, 'kms:ListKeys')).toMatchObject({ ...allowed, statement: 'Lists' })
  expect(await simulate(ann.arn, 'kms:CreateKey')).toEqual(nothing)
  const byAccount = { ...allowed, source: 'ACCOUNT' }
  expect(await simulate(rootOf().arn, 'kms:CreateKey')).toEqual(byAccount)
  expect(await simulate(rootOf().arn, 'keyslot:RotateDueKey', { keyId })).toEqual(nothing)
})

test('is for whom the policies let, and about principals of the account', async () => {
  const { keyId } = await newKey()
  const may = await newUser('may', { statements: [ownStatement('kms:SimulatePolicy')] })
  const mayNot = await newUser('may-not')
  const asked = { principalArn: mayNot.arn, action: 'kms:Encrypt' }
  for (const request of [asked, { ...asked, keyId }]) {
    await expectAllowed(may, 'SimulatePolicy', request)
    await expectDenied(mayNot, 'SimulatePolicy', request)
  }
  const stranger = await newUser('stranger', { account: OTHER_ACCOUNT })
  for (const principalArn of [stranger.arn, `${mayNot.arn}x`, 'nobody', mayNot.arn.toUpperCase()]) {
    const request = { ...asked, principalArn }
    await expectFailureAs('NotFoundException', rootOf(), 'SimulatePolicy', request)
  }
  await expectFailureAs('ValidationException', rootOf(), 'SimulatePolicy', {
    ...asked,
    action: 'Encrypt',
  })
})

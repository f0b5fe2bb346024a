/** GetKeyPolicy. */

import { expect, test } from 'vitest'
import { defaultKeyPolicy } from '../../../src/policy/default-policy.ts'
import {
  ACCOUNT,
  callAs,
  expectFailureAs,
  keyStatement,
  newKey,
  newSession,
  newUser,
  policyText,
  ROOT_STATEMENT,
  removePrincipal,
  rootOf,
  useInstallation,
} from '../installation.ts'

useInstallation()

const policyOf = async (keyId: string) =>
  (await callAs(rootOf(), 'GetKeyPolicy', { keyId, policyName: 'default' })).policy

test('answers the default key policy of a key that was made without one', async () => {
  const { keyId } = await newKey()
  const answer = await callAs(rootOf(), 'GetKeyPolicy', { keyId })
  expect(answer).toEqual({ policy: defaultKeyPolicy(ACCOUNT), policyName: 'default' })
})

test('answers a policy as it was put, to the letter', async () => {
  const statements = [ROOT_STATEMENT, keyStatement('*', 'kms:Encrypt', { Sid: '' })]
  const policy = `\r\n\t ${JSON.stringify({ Statement: statements }, undefined, 1)}\n`
  const { keyId } = await newKey(undefined, { policy })
  expect(await policyOf(keyId)).toBe(policy)
})

test('shows users and roles that are gone by their unique ids, and nobody else', async () => {
  const ann = await newUser('ann')
  const bea = await newUser('bea')
  const app = await newSession('app', 'one')
  const statements = [
    ROOT_STATEMENT,
    keyStatement({ AWS: [ann.arn, bea.arn, app.roleArn] }, 'kms:Encrypt'),
    {
      Effect: 'Deny',
      NotPrincipal: { AWS: [ann.arn, rootOf().arn] },
      Action: 'kms:Decrypt',
      Resource: '*',
      Condition: { StringEquals: { 'aws:PrincipalArn': ann.arn } },
    },
  ]
  const { keyId } = await newKey(statements)
  expect(await policyOf(keyId)).toBe(policyText(statements))
  await removePrincipal(ann)
  await removePrincipal(app)
  const read = JSON.parse(await policyOf(keyId))
  const [appId] = app.principalId?.split(':') ?? []
  expect(read.Statement[1].Principal).toEqual({ AWS: [ann.principalId, bea.arn, appId] })
  expect(read.Statement[2].NotPrincipal).toEqual({ AWS: [ann.principalId, rootOf().arn] })
  expect(read.Statement[2].Condition).toEqual({ StringEquals: { 'aws:PrincipalArn': ann.arn } })
  // A namesake is another.
  await newUser('ann')
  expect(JSON.parse(await policyOf(keyId)).Statement[1].Principal.AWS[0]).toBe(ann.principalId)
})

test('knows no policy but default', async () => {
  const { keyId } = await newKey()
  const other = { keyId, policyName: 'other' }
  await expectFailureAs('NotFoundException', rootOf(), 'GetKeyPolicy', other)
})

/** Sessions that begin sessions: what stays as it was, and for how long. */

import { beforeAll, expect, test } from 'vitest'
import type { Caller } from '../../../src/model/caller.ts'
import {
  ACCOUNT,
  callAs,
  newSession,
  newUser,
  ownStatement,
  rootOf,
  useInstallation,
} from '../installation.ts'

useInstallation()

const TRUST = JSON.stringify({
  Version: '2012-10-17',
  Statement: {
    Effect: 'Allow',
    Principal: { AWS: ACCOUNT },
    Action: ['sts:AssumeRole', 'sts:SetSourceIdentity'],
  },
})
const roleSessionName = 'next'
let roleArn: string
let first: Caller

beforeAll(async () => {
  const { role } = await callAs(rootOf(), 'CreateRole', {
    roleName: 'second',
    assumeRolePolicyDocument: TRUST,
    maxSessionDuration: 7200,
  })
  roleArn = role?.arn ?? ''
  first = await newSession('first', 'one', { statements: [ownStatement('sts:*')] })
})

test('whom a session is for stays what it is, in each that it leads to', async () => {
  const ofAlice = { ...first, sourceIdentity: 'alice' }
  const assume = (sourceIdentity?: string) =>
    callAs(ofAlice, 'AssumeRole', { roleArn, roleSessionName, sourceIdentity })
  expect((await assume()).sourceIdentity).toBe('alice')
  expect((await assume('alice')).sourceIdentity).toBe('alice')
  await expect(assume('bob')).rejects.toMatchObject({ name: 'AccessDeniedException' })
})

test('to pass on whom a session is for takes the permission to say so', async () => {
  const policyDocument = TRUST.replace(',"sts:SetSourceIdentity"', '')
  await callAs(rootOf(), 'CreateRole', {
    roleName: 'silent',
    assumeRolePolicyDocument: policyDocument,
  })
  const request = { roleArn: roleArn.replace('second', 'silent'), roleSessionName }
  await callAs(first, 'AssumeRole', request)
  await expect(
    callAs({ ...first, sourceIdentity: 'alice' }, 'AssumeRole', request),
  ).rejects.toMatchObject({ name: 'AccessDeniedException' })
})

test('a session that a session begins lasts an hour at most', async () => {
  const request = { roleArn, roleSessionName, durationSeconds: 3601 }
  await expect(callAs(first, 'AssumeRole', request)).rejects.toMatchObject({
    name: 'ValidationException',
    message: expect.stringContaining('1 hour session limit for roles assumed by role chaining'),
  })
  const user = await newUser('ada', { statements: [ownStatement('sts:*')] })
  await callAs(user, 'AssumeRole', request)
  await expect(callAs({ ...user, issuedMs: 0 }, 'AssumeRole', request)).rejects.toThrow('1 hour')
})

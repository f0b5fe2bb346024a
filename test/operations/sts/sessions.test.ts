/** What becomes of credentials: used through AWS's own SDK, bounded, expired, ended, mixed up. */

import { KMSClient, ListAliasesCommand, ListKeysCommand } from '@aws-sdk/client-kms'
import { beforeAll, expect, test } from 'vitest'
import { call, service, useService } from '../service.ts'

useService()

const account = '111122223333'
const gone = { name: 'UnrecognizedClientException' }
const denied = { name: 'AccessDeniedException' }

function allowing(part: object): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', ...part } })
}
const TRUST = allowing({ Principal: { AWS: account }, Action: 'sts:*' })

interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** AWS's SDK with these credentials; its own clock stands where the service's does. */
function sdk(credentials: Credentials): KMSClient {
  const { region } = service().place
  const systemClockOffset = service().clock() - Date.now()
  const endpoint = service().service.awsEndpoint
  return new KMSClient({ endpoint, region, credentials, maxAttempts: 1, systemClockOffset })
}
const listKeys = (credentials: Credentials) => sdk(credentials).send(new ListKeysCommand({}))

async function newRole(roleName: string): Promise<string> {
  const { role } = await call('CreateRole', { roleName, assumeRolePolicyDocument: TRUST })
  const policyDocument = allowing({ Action: 'kms:List*', Resource: '*' })
  await call('PutRolePolicy', { roleName, policyName: 'list', policyDocument })
  return role?.arn ?? ''
}

async function assume(roleArn: string, part: object = {}): Promise<Credentials> {
  const ada = service().clientOf(`spiffe://keyslot/account/${account}/user/ada`)
  const request = { roleArn, roleSessionName: 'one', ...part }
  const { credentials } = await ada.call('AssumeRole', request)
  if (!credentials) throw new Error('AssumeRole answered no credentials')
  const { accessKeyId, secretAccessKey, sessionToken } = credentials
  return { accessKeyId, secretAccessKey, sessionToken }
}

beforeAll(async () => {
  await call('CreateUser', { userName: 'ada' })
  const policyDocument = allowing({ Action: 'sts:*', Resource: '*' })
  await call('PutUserPolicy', { userName: 'ada', policyName: 'sts', policyDocument })
})

test('a session does what its role may, and no more than its own policy allows', async () => {
  const roleArn = await newRole('worker')
  const whole = await assume(roleArn)
  await listKeys(whole)
  await sdk(whole).send(new ListAliasesCommand({}))
  const policy = allowing({ Action: 'kms:ListKeys', Resource: '*' })
  const bounded = await assume(roleArn, { policy })
  await listKeys(bounded)
  await expect(sdk(bounded).send(new ListAliasesCommand({}))).rejects.toMatchObject(denied)
  const record = service().auditRecords().at(-1)
  expect(record?.userIdentity?.arn).toBe(`arn:aws:sts::${account}:assumed-role/worker/one`)
})

test.each([
  ['managed policies', { policyArns: [{ arn: 'arn:aws:iam::aws:policy/ReadOnlyAccess' }] }],
  ['transitive session tags', { transitiveTagKeys: ['team'] }],
  [
    'context providers',
    {
      providedContexts: [
        { providerArn: 'arn:aws:iam::aws:contextProvider/X', contextAssertion: 'anything' },
      ],
    },
  ],
])('what keyslot does not have is refused, and not left out: %s', async (words, part) => {
  const roleArn = await newRole(`without-${words.replaceAll(' ', '-')}`)
  await expect(assume(roleArn, part)).rejects.toMatchObject({
    name: 'ValidationException',
    message: expect.stringContaining(words),
  })
})

test('a tag of the session stands in the place of the role’s, in whatever case', async () => {
  const roleName = 'tagged'
  const roleArn = await newRole(roleName)
  await call('TagRole', { roleName, tags: [{ key: 'team', value: 'platform' }] })
  const policyDocument = allowing({
    Action: 'kms:ListAliases',
    Resource: '*',
    Condition: { StringEquals: { 'aws:PrincipalTag/team': 'platform' } },
  })
  await call('PutRolePolicy', { roleName, policyName: 'list', policyDocument })
  const list = async (part?: object) =>
    sdk(await assume(roleArn, part)).send(new ListAliasesCommand({}))
  await list()
  await list({ tags: [{ key: 'other', value: 'dev' }] })
  await expect(list({ tags: [{ key: 'Team', value: 'dev' }] })).rejects.toMatchObject(denied)
})

test('a session ends with its role at once, and a new role of the name has none', async () => {
  const credentials = await assume(await newRole('brief'))
  await listKeys(credentials)
  await call('DeleteRolePolicy', { roleName: 'brief', policyName: 'list' })
  await expect(listKeys(credentials)).rejects.toMatchObject(denied)
  await call('DeleteRole', { roleName: 'brief' })
  await expect(listKeys(credentials)).rejects.toMatchObject(gone)
  await newRole('brief')
  await expect(listKeys(credentials)).rejects.toMatchObject(gone)
})

test.each([
  ['are older than the role revokes', { DateLessThan: { 'aws:TokenIssueTime': '2999-01-01' } }],
  ['were issued without a second factor', { Bool: { 'aws:MultiFactorAuthPresent': 'false' } }],
  ['are for somebody', { StringEquals: { 'aws:SourceIdentity': 'carol' } }],
  ['are used by a client', { StringLike: { 'aws:UserAgent': 'aws-sdk-js/*' } }],
  ['are not used by a service', { Bool: { 'aws:ViaAWSService': 'false' } }],
])('what is denied to credentials that %s is denied', async (name, Condition) => {
  const roleName = `denied-${name.replaceAll(' ', '-')}`
  const credentials = await assume(await newRole(roleName), { sourceIdentity: 'carol' })
  await listKeys(credentials)
  const policyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: { Effect: 'Deny', Action: '*', Resource: '*', Condition },
  })
  await call('PutRolePolicy', { roleName, policyName: 'deny', policyDocument })
  await expect(listKeys(credentials)).rejects.toMatchObject(denied)
})

test('P4: credentials do not go together that do not belong together', async () => {
  const roleArn = await newRole('mixed')
  const [one, two] = [await assume(roleArn), await assume(roleArn)]
  const { sessionToken: _, ...without } = one
  for (const mixed of [
    { ...one, sessionToken: two.sessionToken },
    { ...two, accessKeyId: one.accessKeyId },
    without,
  ]) {
    await expect(listKeys(mixed)).rejects.toMatchObject(gone)
  }
  const other = { ...one, secretAccessKey: two.secretAccessKey }
  await expect(listKeys(other)).rejects.toMatchObject({ name: 'InvalidSignatureException' })
})

test('an access key is its own account and user, until it is switched off', async () => {
  const tenant = service().clientOf('222233334444')
  const made = await tenant.call('CreateAccessKey', {})
  const { accessKeyId = '', secretAccessKey = '' } = made.accessKey ?? {}
  const key = { accessKeyId, secretAccessKey }
  await call('CreateKey', {})
  expect((await listKeys(key)).Keys).toEqual([])
  await tenant.call('UpdateAccessKey', { accessKeyId, status: 'Inactive' })
  await expect(listKeys(key)).rejects.toMatchObject(gone)
  await tenant.call('UpdateAccessKey', { accessKeyId, status: 'Active' })
  await listKeys(key)
  await tenant.call('DeleteAccessKey', { accessKeyId })
  await expect(listKeys(key)).rejects.toMatchObject(gone)
})

test('a session is over when its time is', async () => {
  const credentials = await assume(await newRole('timed'), { durationSeconds: 900 })
  service().moveClock(899_000)
  await listKeys(credentials)
  service().moveClock(1_000)
  await expect(listKeys(credentials)).rejects.toMatchObject({ name: 'ExpiredTokenException' })
})

/** The seed: applied at every start, twice with the same end, and clear about what is wrong. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { applySeed } from '../../src/seed/seed.ts'
import { type RunningService, startTestService } from '../harness.ts'

const directory = mkdtempSync(join(tmpdir(), 'keyslot-seed-'))
const path = join(directory, 'seed.yaml')
const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
const TENANT = '000011112222'
let service: RunningService

function seedOf({ description = 'first', action = 'kms:ListKeys', team = 'blue' } = {}): string {
  return `
accounts:
  - id: 111122223333
    rootAccessKeys:
      - id: AKIAROOTROOTROOTROOT
        secretFile: secret
  - id: ${TENANT}
    name: a tenant
    users:
      - name: ada
        path: /team/
        tags: {team: ${team}}
        policies:
          read:
            Version: 2012-10-17
            Statement: {Effect: Allow, Action: '${action}', Resource: '*'}
        boundary: '{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'
        accessKeys:
          - {id: AKIAIOSFODNN7EXAMPLE, secret: ${SECRET}}
    roles:
      - name: app
        maxSessionDuration: 7200
        trust:
          Version: 2012-10-17
          Statement:
            - Effect: Allow
              Principal: {AWS: 'arn:aws:iam::${TENANT}:user/team/ada'}
              Action: sts:AssumeRole
    identityProviders:
      - url: https://issuer.example
        audiences: [keyslot]
        jwksFile: keys.json
        defaultRole: arn:aws:iam::${TENANT}:role/app
    keys:
      - alias: alias/app
        description: ${description}
        policy:
          Statement: {Effect: Allow, Principal: {AWS: ${TENANT}}, Action: ['kms:*', '${action}'], Resource: '*'}
        tags: {team: ${team}}
        rotation: true
`
}

/** What the seed has made, without what differs from one time to the next. */
async function made() {
  const tenant = service.clientOf(TENANT)
  const { user } = await tenant.call('GetUser', { userName: 'ada' })
  const { accessKeyMetadata } = await tenant.call('ListAccessKeys', { userName: 'ada' })
  const { role } = await tenant.call('GetRole', { roleName: 'app' })
  const policy = await tenant.call('GetUserPolicy', { userName: 'ada', policyName: 'read' })
  const provider = await tenant.call('GetOpenIDConnectProvider', {
    openIdConnectProviderArn: `arn:aws:iam::${TENANT}:oidc-provider/issuer.example`,
  })
  const { keyMetadata } = await tenant.call('DescribeKey', { keyId: 'alias/app' })
  const { keys } = await tenant.call('ListKeys', {})
  const keyPolicy = await tenant.call('GetKeyPolicy', { keyId: keyMetadata?.keyId })
  const rotation = await tenant.call('GetKeyRotationStatus', { keyId: keyMetadata?.keyId })
  return {
    user,
    accessKeyMetadata,
    role,
    policy,
    provider,
    keyMetadata,
    keyPolicy,
    keys,
    rotation,
  }
}

beforeAll(async () => {
  writeFileSync(path, seedOf())
  writeFileSync(join(directory, 'secret'), `${SECRET}\n`)
  writeFileSync(join(directory, 'keys.json'), '{"keys":[]}')
  service = await startTestService({ seed: path })
})
afterAll(async () => {
  await service?.stop()
  rmSync(directory, { recursive: true })
})

test('what it names is there, and a second time nothing is made again', async () => {
  const first = await made()
  expect(first.user).toMatchObject({ path: '/team/', tags: [{ key: 'team', value: 'blue' }] })
  expect(first.role?.maxSessionDuration).toBe(7200)
  expect(JSON.parse(first.policy.policyDocument).Statement.Action).toBe('kms:ListKeys')
  expect(first.keyPolicy.policy).toContain('"kms:ListKeys"')
  expect(first.keyMetadata?.description).toBe('first')
  expect(first.rotation.keyRotationEnabled).toBe(true)
  expect(first.keys).toHaveLength(1)
  expect(first.provider.defaultRoleArn).toBe(`arn:aws:iam::${TENANT}:role/app`)
  const credential = await service.client.call('ListAccessKeys', {})
  const ids = credential.accessKeyMetadata.map(({ accessKeyId }) => accessKeyId)
  expect(ids).toContain('AKIAROOTROOTROOTROOT')
  expect(JSON.stringify(service.auditRecords())).not.toContain(SECRET)
  await service.restart()
  expect(await made()).toEqual(first)

  writeFileSync(path, seedOf({ description: 'second', action: 'kms:ListAliases', team: 'red' }))
  await service.restart()
  const changed = await made()
  expect(changed.user?.userId).toBe(first.user?.userId)
  expect(changed.user?.tags).toEqual([{ key: 'team', value: 'red' }])
  expect(JSON.parse(changed.policy.policyDocument).Statement.Action).toBe('kms:ListAliases')
  expect(changed.keyPolicy.policy).toContain('"kms:ListAliases"')
  expect(changed.keyMetadata).toMatchObject({
    keyId: first.keyMetadata?.keyId,
    description: 'second',
  })
})

describe('what is wrong is said with file and line:', () => {
  const account = `accounts:\n  - id: ${TENANT}\n`
  test.each([
    ['accounts: [', 1],
    ['accountz: []', 1],
    ['- a', 1],
    [`${account}    users:\n      - nam: ada\n`, 4],
    [`${account}    users:\n      - path: /\n`, 4],
    [`${account}    users: ada\n`, 3],
    [`${account}    id: twice\n`, 3],
    [`accounts:\n  - name: none\n`, 2],
    [`${account}    roles:\n      - name: app\n`, 4],
    [`${account}    rootAccessKeys:\n      - {id: AKIA, secretFile: nowhere}\n`, 4],
  ])('%j', async (text, line) => {
    const wrong = join(directory, 'wrong.yaml')
    writeFileSync(wrong, text)
    const parts = {
      operator: '111122223333',
      pipeline: { call: async () => ({ accessKeyMetadata: [] }) as never },
    }
    await expect(applySeed(wrong, parts)).rejects.toMatchObject({
      name: 'SeedError',
      message: expect.stringContaining(`${wrong}:${line}: `),
    })
  })
})

test('what the service refuses keeps it from starting, and says where', async () => {
  const { home } = service.config
  await service.service.stop()
  const text = seedOf().replace('Action: sts:AssumeRole', 'Action: AssumeRole')
  const line = text.split('\n').findIndex((each) => each.includes('name: app')) + 1
  writeFileSync(path, text)
  const start = startTestService({ seed: path, home })
  await expect(start).rejects.toThrow(`${path}:${line}: MalformedPolicyDocumentException: `)
  writeFileSync(path, seedOf())
  service = await startTestService({ seed: path, home })
})

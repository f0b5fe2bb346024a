/** AWS's rules of who may do what, over real keys, users, roles and services of two accounts. */

import { describe, expect, test } from 'vitest'
import { rootArn } from '../../src/model/arn.ts'
import type { Caller } from '../../src/model/caller.ts'
import {
  ACCOUNT,
  callAs,
  expectAllowed,
  expectDenied,
  expectFailureAs,
  here,
  keyStatement,
  lastRecord,
  newKey,
  newSession,
  newUser,
  OTHER_ACCOUNT,
  ownStatement,
  policyText,
  ROOT_STATEMENT,
  removePrincipal,
  rootOf,
  serviceFor,
  useInstallation,
} from '../operations/installation.ts'

useInstallation()

const plaintext = Buffer.from('x')
let count = 0
const user = (part: Parameters<typeof newUser>[1] = {}) => newUser(`u${count++}`, part)
const session = (part: Parameters<typeof newSession>[2] = {}) =>
  newSession(`r${count++}`, 'one', part)
const deny = (statement: object) => ({ ...statement, Effect: 'Deny' })
const mayEncrypt = (caller: Caller, keyId: string, part: object = {}) =>
  callAs(caller, 'Encrypt', { keyId, plaintext, ...part }).then(
    () => true,
    (error: Error) => {
      if (error.name !== 'AccessDeniedException') throw error
      return false
    },
  )

describe('C2: in the same account', () => {
  test.each([
    ['key policy names the user', 'user', false, true],
    ['key policy names the account, identity policy allows', 'root', true, true],
    ['key policy names the account only', 'root', false, false],
    ['identity policy allows, key policy is silent', 'nobody', true, false],
    ['neither', 'nobody', false, false],
  ] as const)('%s', async (_what, named, allows, may) => {
    const caller = await user(allows ? { statements: [ownStatement('kms:Encrypt')] } : {})
    const principals = { user: caller.arn, root: rootArn(ACCOUNT), nobody: OTHER_ACCOUNT }
    const { keyId } = await newKey([keyStatement({ AWS: principals[named] }, 'kms:Encrypt')])
    expect(await mayEncrypt(caller, keyId)).toBe(may)
    expect(await mayEncrypt(rootOf(), keyId)).toBe(named === 'root')
  })

  test('a denial wins, wherever it stands', async () => {
    const all = [ownStatement('kms:*')]
    const denied = await user({ statements: [...all, deny(ownStatement('kms:Encrypt'))] })
    const bound = await user({ statements: all, boundary: [...all, deny(ownStatement('kms:E*'))] })
    const sessionPolicies = [[...all, deny(ownStatement('kms:Encrypt'))]]
    const limited = await session({ statements: all, sessionPolicies })
    const free = await user({ statements: all })
    const callers = [denied, bound, limited]
    const named = callers.map(({ arn }) => arn)
    const { keyId } = await newKey([ROOT_STATEMENT, keyStatement({ AWS: named }, 'kms:*')])
    for (const caller of callers) {
      const grant = { keyId, granteePrincipal: caller.arn, operations: ['Encrypt' as const] }
      await callAs(rootOf(), 'CreateGrant', grant)
      expect(await mayEncrypt(caller, keyId)).toBe(false)
      expect(lastRecord('Encrypt')?.authorisation).toMatchObject([{ decision: 'explicit-deny' }])
    }
    expect(await mayEncrypt(free, keyId)).toBe(true)
    const Condition = { StringEquals: { 'aws:PrincipalArn': free.arn } }
    const statement = deny(keyStatement('*', 'kms:Encrypt', { Condition, Sid: 'No' }))
    const policy = policyText([ROOT_STATEMENT, statement])
    await callAs(rootOf(), 'PutKeyPolicy', { keyId, policy })
    await expect(callAs(free, 'Encrypt', { keyId, plaintext })).rejects.toThrow(
      'with an explicit deny in a resource-based policy',
    )
    expect(lastRecord('Encrypt')?.authorisation).toMatchObject([
      { decision: 'explicit-deny', source: 'key-policy', statement: 'No' },
    ])
  })

  test('boundaries and session policies limit what identity policies give', async () => {
    const statements = [ownStatement('kms:*')]
    const boundary = [ownStatement('kms:Decrypt')]
    const { keyId } = await newKey()
    expect(await mayEncrypt(await user({ statements, boundary }), keyId)).toBe(false)
    expect(await mayEncrypt(await user({ statements, boundary: statements }), keyId)).toBe(true)
    const narrow = await session({ statements, sessionPolicies: [boundary] })
    expect(await mayEncrypt(narrow, keyId)).toBe(false)
    const wide = await session({ statements, sessionPolicies: [statements] })
    expect(await mayEncrypt(wide, keyId)).toBe(true)
  })

  test('identity policies are of one key, by its ARN, however it is named', async () => {
    const [one, two] = [await newKey(), await newKey()]
    await callAs(rootOf(), 'CreateAlias', { aliasName: 'alias/one', targetKeyId: one.keyId })
    const caller = await user({ statements: [ownStatement('kms:Encrypt', { Resource: one.arn })] })
    for (const keyId of [one.keyId, one.arn, 'alias/one']) {
      expect(await mayEncrypt(caller, keyId)).toBe(true)
    }
    expect(await mayEncrypt(caller, two.keyId)).toBe(false)
  })
})

describe('C2: across accounts', () => {
  test('both sides have to allow it', async () => {
    const statements = [ownStatement('kms:Encrypt')]
    const part = { account: OTHER_ACCOUNT }
    const [may, mayNot] = [await user({ ...part, statements }), await user(part)]
    const open = [ROOT_STATEMENT, keyStatement({ AWS: OTHER_ACCOUNT }, 'kms:Encrypt')]
    const [opened, closed] = [await newKey(open), await newKey()]
    expect(await mayEncrypt(may, opened.arn)).toBe(true)
    expect(await mayEncrypt(mayNot, opened.arn)).toBe(false)
    expect(await mayEncrypt(rootOf(OTHER_ACCOUNT), opened.arn)).toBe(true)
    for (const caller of [may, mayNot, rootOf(OTHER_ACCOUNT)]) {
      expect(await mayEncrypt(caller, closed.arn)).toBe(false)
    }
    const named = [ROOT_STATEMENT, keyStatement({ AWS: mayNot.arn }, 'kms:Encrypt')]
    expect(await mayEncrypt(mayNot, (await newKey(named)).arn)).toBe(false)
  })

  test('what AWS keeps within the account stays there, whatever the key policy says', async () => {
    const { arn: keyId } = await newKey([
      ROOT_STATEMENT,
      keyStatement({ AWS: OTHER_ACCOUNT }, 'kms:*'),
    ])
    const other = rootOf(OTHER_ACCOUNT)
    await expectAllowed(other, 'DescribeKey', { keyId })
    await expectAllowed(other, 'GetKeyRotationStatus', { keyId })
    await expectAllowed(other, 'ListGrants', { keyId })
    for (const name of [
      'GetKeyPolicy',
      'ListKeyPolicies',
      'DisableKey',
      'EnableKey',
      'ScheduleKeyDeletion',
      'ListResourceTags',
      'ListKeyRotations',
      'EnableKeyRotation',
    ] as const) {
      await expectDenied(other, name, { keyId })
    }
    await expectDenied(other, 'UpdateKeyDescription', { keyId, description: 'mine' })
  })

  test('C6: a stranger is told the same of every key, there or not', async () => {
    const [present, disabled, pending] = [await newKey(), await newKey(), await newKey()]
    await callAs(rootOf(), 'DisableKey', { keyId: disabled.keyId })
    await callAs(rootOf(), 'ScheduleKeyDeletion', { keyId: pending.keyId })
    const missing = present.arn.replace(/.{12}$/, '000000000000')
    const strangers = [rootOf(OTHER_ACCOUNT), await user({ account: OTHER_ACCOUNT })]
    for (const caller of strangers) {
      const told = new Set<string>()
      for (const keyId of [present.arn, disabled.arn, pending.arn, missing]) {
        const error = await callAs(caller, 'Encrypt', { keyId, plaintext }).catch((each) => each)
        told.add(`${error.name} ${error.message.replace(keyId, 'KEY')}`)
      }
      expect([...told]).toEqual([expect.stringMatching(/^AccessDeniedException User: .* KEY /)])
    }
  })
})

describe('C2: who a name means', () => {
  test('a role in all sessions, a session only itself', async () => {
    const one = await session()
    const two = { ...one, arn: one.arn.replace(/one$/, 'two') }
    const ofRole = await newKey([ROOT_STATEMENT, keyStatement({ AWS: one.roleArn }, 'kms:Encrypt')])
    const ofOne = await newKey([ROOT_STATEMENT, keyStatement({ AWS: one.arn }, 'kms:Encrypt')])
    expect(await mayEncrypt(one, ofRole.keyId)).toBe(true)
    expect(await mayEncrypt(two, ofRole.keyId)).toBe(true)
    expect(await mayEncrypt(one, ofOne.keyId)).toBe(true)
    expect(await mayEncrypt(two, ofOne.keyId)).toBe(false)
  })

  test('C4: not who comes after, by the same name', async () => {
    const before = [await user(), await session()]
    const named = before.map(({ arn, roleArn }) => roleArn ?? arn)
    const { keyId } = await newKey([ROOT_STATEMENT, keyStatement({ AWS: named }, 'kms:Encrypt')])
    for (const caller of before) {
      expect(await mayEncrypt(caller, keyId)).toBe(true)
      const [, name = ''] = (caller.roleArn ?? caller.arn).split('/')
      await removePrincipal(caller)
      const after = caller.kind === 'user' ? await newUser(name) : await newSession(name, 'one')
      expect(after.arn).toBe(caller.arn)
      expect(await mayEncrypt(after, keyId)).toBe(false)
    }
  })

  test('C4: a service only as itself', async () => {
    const statement = keyStatement({ Service: 'logs.amazonaws.com' }, 'kms:Encrypt', {
      Condition: { StringEquals: { 'aws:SourceAccount': ACCOUNT } },
    })
    const { arn } = await newKey([ROOT_STATEMENT, statement])
    expect(await mayEncrypt(serviceFor('logs.amazonaws.com'), arn)).toBe(true)
    expect(await mayEncrypt(serviceFor('logs.amazonaws.com', OTHER_ACCOUNT), arn)).toBe(false)
    expect(await mayEncrypt(serviceFor('s3.amazonaws.com'), arn)).toBe(false)
  })
})

describe('conditions of the call', () => {
  const conditional = (Condition: object) =>
    newKey([ROOT_STATEMENT, keyStatement('*', 'kms:*', { Condition })])
  const equals = (name: string, value: unknown) => ({ StringEquals: { [name]: value } })

  test.each([
    ['kms:EncryptionContext:team', 'blue', { encryptionContext: new Map([['team', 'blue']]) }],
    ['kms:EncryptionAlgorithm', 'SYMMETRIC_DEFAULT', { encryptionAlgorithm: 'SYMMETRIC_DEFAULT' }],
    ['kms:KeySpec', 'SYMMETRIC_DEFAULT', {}],
    ['kms:KeyUsage', 'ENCRYPT_DECRYPT', {}],
    ['kms:KeyOrigin', 'AWS_KMS', {}],
    ['kms:CallerAccount', ACCOUNT, {}],
    ['aws:RequestedRegion', 'eu-central-1', {}],
    ['aws:PrincipalTag/team', 'blue', {}],
  ])('%s is known', async (name, value, request) => {
    const caller = await user({ tags: { team: 'blue' } })
    const [right, wrong] = [
      await conditional(equals(name, value)),
      await conditional(equals(name, 'x')),
    ]
    expect(await mayEncrypt(caller, right.keyId, request)).toBe(true)
    expect(await mayEncrypt(caller, wrong.keyId, request)).toBe(false)
  })

  test('the address, the time and TLS are known', async () => {
    const caller = await user()
    const { keyId } = await conditional({
      IpAddress: { 'aws:SourceIp': '10.1.0.0/16' },
      Bool: { 'aws:SecureTransport': 'true' },
      DateLessThan: { 'aws:CurrentTime': new Date(here().nowMs + 1000).toISOString() },
    })
    const from = (sourceAddress: string, secureTransport = true) =>
      callAs(caller, 'Encrypt', { keyId, plaintext }, { sourceAddress, secureTransport })
    await from('10.1.2.3')
    for (const wrong of [from('10.2.2.3'), from('10.1.2.3', false)]) {
      await expect(wrong).rejects.toMatchObject({ name: 'AccessDeniedException' })
    }
    here().nowMs += 2000
    await expect(from('10.1.2.3')).rejects.toMatchObject({ name: 'AccessDeniedException' })
  })

  test('aliases and tags of the key are known, as they are now', async () => {
    const caller = await user()
    const byAlias = await conditional({
      'ForAnyValue:StringLike': { 'kms:ResourceAliases': 'alias/prod-*' },
    })
    const byRequest = await conditional(equals('kms:RequestAlias', 'alias/request'))
    const byTag = await conditional(equals('aws:ResourceTag/stage', 'prod'))
    const { keyId } = byAlias
    expect(await mayEncrypt(caller, keyId)).toBe(false)
    await callAs(rootOf(), 'CreateAlias', { aliasName: 'alias/prod-1', targetKeyId: keyId })
    expect(await mayEncrypt(caller, keyId)).toBe(true)
    await callAs(rootOf(), 'DeleteAlias', { aliasName: 'alias/prod-1' })
    expect(await mayEncrypt(caller, keyId)).toBe(false)
    const aliasName = 'alias/request'
    await callAs(rootOf(), 'CreateAlias', { aliasName, targetKeyId: byRequest.keyId })
    expect(await mayEncrypt(caller, byRequest.keyId)).toBe(false)
    expect(await mayEncrypt(caller, aliasName)).toBe(true)
    const tags = [{ tagKey: 'stage', tagValue: 'prod' }]
    expect(await mayEncrypt(caller, byTag.keyId)).toBe(false)
    await callAs(rootOf(), 'TagResource', { keyId: byTag.keyId, tags })
    expect(await mayEncrypt(caller, byTag.keyId)).toBe(true)
  })

  test('re-encryption knows both keys, and each its own context', async () => {
    const caller = await user()
    const { keyId } = await conditional({ Bool: { 'kms:ReEncryptOnSameKey': 'true' } })
    const other = await newKey([ROOT_STATEMENT, keyStatement('*', 'kms:ReEncryptTo')])
    const { ciphertextBlob } = await callAs(rootOf(), 'Encrypt', { keyId, plaintext })
    await expectAllowed(caller, 'ReEncrypt', { ciphertextBlob, destinationKeyId: keyId })
    const away = { ciphertextBlob, destinationKeyId: other.keyId }
    await expectDenied(caller, 'ReEncrypt', away)
  })

  test('C2: of grants: for a service, and what is given to whom', async () => {
    const grantee = await user()
    const { keyId, arn } = await conditional({
      Bool: { 'kms:GrantIsForAWSResource': 'true' },
      StringEquals: { 'kms:GranteePrincipal': grantee.arn },
      'ForAllValues:StringEquals': { 'kms:GrantOperations': ['Encrypt', 'Decrypt'] },
    })
    const grant = { keyId: arn, granteePrincipal: grantee.arn, operations: ['Encrypt' as const] }
    const service = serviceFor('ebs.amazonaws.com')
    await expectAllowed(service, 'CreateGrant', grant)
    await expectDenied(await user(), 'CreateGrant', grant)
    await expectDenied(service, 'CreateGrant', { ...grant, operations: ['GenerateDataKey'] })
    await expectDenied(service, 'CreateGrant', { ...grant, granteePrincipal: rootOf().arn })
    expect(await mayEncrypt(grantee, keyId)).toBe(true)
  })
})

describe('operations on aliases and on the account', () => {
  test('ask for the alias and for every key', async () => {
    const { keyId, arn } = await newKey()
    const aliasArn = arn.replace(/key\/.*/, 'alias/*')
    const onAlias = ownStatement('kms:*Alias', { Resource: aliasArn })
    const onKey = ownStatement('kms:*Alias', { Resource: arn })
    const request = { aliasName: 'alias/both', targetKeyId: keyId }
    await expectDenied(await user({ statements: [onAlias] }), 'CreateAlias', request)
    await expectDenied(await user({ statements: [onKey] }), 'CreateAlias', request)
    const both = await user({ statements: [onAlias, onKey] })
    await expectAllowed(both, 'CreateAlias', request)
    const { keyId: targetKeyId } = await newKey()
    await expectDenied(both, 'UpdateAlias', { ...request, targetKeyId })
    await expectAllowed(both, 'DeleteAlias', { aliasName: 'alias/both' })
  })

  test('listing is the account’s to give', async () => {
    const { keyId } = await newKey()
    const lister = await user({ statements: [ownStatement(['kms:ListAliases', 'kms:ListKeys'])] })
    await expectAllowed(lister, 'ListAliases', {})
    await expectAllowed(lister, 'ListAliases', { keyId })
    await expectAllowed(lister, 'ListKeys', {})
    const nobody = await user()
    await expectDenied(nobody, 'ListAliases', { keyId })
    await expect(callAs(nobody, 'ListKeys')).rejects.toThrow(
      'because no identity-based policy allows the kms:ListKeys action',
    )
    const elsewhere = rootOf(OTHER_ACCOUNT)
    await expectFailureAs('NotFoundException', elsewhere, 'ListAliases', { keyId })
  })
})

/** Keys that services manage: made by themselves, visible, and nobody's to change. */

import { expect, test } from 'vitest'
import {
  ACCOUNT,
  callAs,
  expectAllowed,
  expectDenied,
  expectFailureAs,
  here,
  newKey,
  newUser,
  OTHER_ACCOUNT,
  ownStatement,
  policyText,
  REGION,
  ROOT_STATEMENT,
  rootOf,
  serviceFor,
  useInstallation,
} from '../operations/installation.ts'

useInstallation()

const plaintext = Buffer.from('x')
const backup = serviceFor('backup.amazonaws.com')
const keyId = 'alias/aws/backup'

test('come into being when their service asks first, once, whoever else asks', async () => {
  await expectDenied(serviceFor('other.amazonaws.com'), 'Encrypt', { keyId, plaintext })
  await expectFailureAs('NotFoundException', rootOf(), 'Encrypt', { keyId, plaintext })
  const made = await Promise.all(
    Array.from({ length: 8 }, () =>
      callAs(backup, 'Encrypt', { keyId, plaintext }).catch((error: Error) => error.name),
    ),
  )
  expect(made.filter((each) => typeof each !== 'string').length).toBeGreaterThan(0)
  const { keyMetadata } = await callAs(rootOf(), 'DescribeKey', { keyId })
  expect(keyMetadata).toMatchObject({ keyManager: 'AWS', enabled: true, awsAccountId: ACCOUNT })
  const { aliases } = await callAs(rootOf(), 'ListAliases')
  expect(aliases).toMatchObject([{ aliasName: keyId, targetKeyId: keyMetadata?.keyId }])
  expect((await callAs(rootOf(), 'ListKeys')).keys).toHaveLength(1)
  const status = await callAs(rootOf(), 'GetKeyRotationStatus', { keyId: keyMetadata?.keyId })
  expect(status).toMatchObject({ keyRotationEnabled: true, rotationPeriodInDays: 365 })
  const { policy } = await callAs(rootOf(), 'GetKeyPolicy', { keyId: keyMetadata?.keyId })
  expect(policy).toContain(`backup.${REGION}.amazonaws.com`)
})

test('C2: are used by their service for its account, and by nobody else', async () => {
  const { ciphertextBlob } = await callAs(backup, 'Encrypt', { keyId, plaintext })
  expect((await callAs(backup, 'Decrypt', { ciphertextBlob })).plaintext).toEqual(plaintext)
  const everything = await newUser('everything', { statements: [ownStatement('kms:*')] })
  const elsewhere = serviceFor('backup.amazonaws.com', OTHER_ACCOUNT)
  for (const other of [rootOf(), everything, elsewhere, serviceFor('s3.amazonaws.com')]) {
    await expectDenied(other, 'Decrypt', { ciphertextBlob })
  }
  // The other account has one of its own.
  await expectAllowed(elsewhere, 'Encrypt', { keyId, plaintext })
  const { keyMetadata: theirs } = await callAs(rootOf(OTHER_ACCOUNT), 'DescribeKey', { keyId })
  const { keyMetadata: ours } = await callAs(rootOf(), 'DescribeKey', { keyId })
  expect(theirs?.keyId).not.toBe(ours?.keyId)
})

test('cannot be changed by the customer', async () => {
  await callAs(backup, 'Encrypt', { keyId, plaintext })
  const { keyMetadata } = await callAs(rootOf(), 'DescribeKey', { keyId })
  const named = { keyId: keyMetadata?.keyId ?? '' }
  const targetKeyId = named.keyId
  const { keyId: own } = await newKey()
  await callAs(rootOf(), 'CreateAlias', { aliasName: 'alias/own', targetKeyId: own })
  const everything = await newUser('all-of-it', { statements: [ownStatement('kms:*')] })
  const tags = [{ tagKey: 'a', tagValue: 'b' }]
  for (const caller of [rootOf(), everything]) {
    const policy = policyText([ROOT_STATEMENT])
    await expectDenied(caller, 'PutKeyPolicy', { ...named, policy })
    await expectDenied(caller, 'DisableKey', named)
    await expectDenied(caller, 'ScheduleKeyDeletion', named)
    await expectDenied(caller, 'DisableKeyRotation', named)
    await expectDenied(caller, 'EnableKeyRotation', { ...named, rotationPeriodInDays: 90 })
    await expectDenied(caller, 'RotateKeyOnDemand', named)
    await expectDenied(caller, 'UpdateKeyDescription', { ...named, description: 'mine' })
    await expectDenied(caller, 'TagResource', { ...named, tags })
    await expectDenied(caller, 'CreateAlias', { aliasName: 'alias/mine', targetKeyId })
    await expectDenied(caller, 'UpdateAlias', { aliasName: 'alias/own', targetKeyId })
    const reserved = { aliasName: keyId, targetKeyId: own }
    await expectFailureAs('InvalidAliasNameException', caller, 'UpdateAlias', reserved)
    await expectFailureAs('InvalidAliasNameException', caller, 'DeleteAlias', { aliasName: keyId })
  }
})

test('rotate by themselves every year', async () => {
  await callAs(backup, 'Encrypt', { keyId, plaintext })
  here().nowMs += 366 * 86_400_000
  const due = await here().store.keys.dueForRotation(here().nowMs, 100)
  const { keyMetadata } = await callAs(rootOf(), 'DescribeKey', { keyId })
  expect(due.map((key) => key.keyId)).toContain(keyMetadata?.keyId)
})

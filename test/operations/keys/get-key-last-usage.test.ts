/** GetKeyLastUsage: which calls use a key, and what is kept of them. */

import { generateKeyPairSync } from 'node:crypto'
import { GetKeyLastUsageCommand } from '@aws-sdk/client-kms'
import { expect, test } from 'vitest'
import { USING_OPERATIONS } from '../../../src/model/usage/key-use.ts'
import { OPERATIONS } from '../../../src/operations/table.ts'
import { sdkClient } from '../matrix/sdk.ts'
import { call, expectFailure, MISSING, newKey, service, useService } from '../service.ts'

useService()

const message = Buffer.from('used')

/** What a key is said to have been used for last. */
async function lastUse({ keyId }: { readonly keyId: string }) {
  return (await call('GetKeyLastUsage', { keyId })).keyLastUsage
}

/** The request id of the last audit record of an operation that succeeded. */
function lastRequestId(eventName: string): string | undefined {
  const isIt = (record: { eventName: string; outcome: string }) =>
    record.eventName === eventName && record.outcome === 'succeeded'
  return service().auditRecords().findLast(isIt)?.requestID
}

test('a key that has not been used says so, and since when that is known', async () => {
  const { keyId } = await newKey()
  const made = new Date(service().clock())
  expect(await call('GetKeyLastUsage', { keyId })).toEqual({
    keyId,
    keyLastUsage: {},
    trackingStartDate: made,
    keyCreationDate: made,
  })
})

test('names the operation, the time and the audit record of each kind of use', async () => {
  const symmetric = await newKey()
  const agree = { keySpec: 'ECC_NIST_P256', keyUsage: 'KEY_AGREEMENT' } as const
  const [other, signs, macs, agrees] = [
    await newKey(),
    await newKey({ keySpec: 'ECC_NIST_P256', keyUsage: 'SIGN_VERIFY' }),
    await newKey({ keySpec: 'HMAC_256', keyUsage: 'GENERATE_VERIFY_MAC' }),
    await newKey(agree),
  ]
  const seen = new Set<string>()
  const expectUse = async (operation: string, ...keys: readonly { keyId: string }[]) => {
    for (const key of keys) {
      const id = lastRequestId(operation)
      expect(await lastUse(key)).toEqual({
        operation,
        timestamp: new Date(service().clock()),
        cloudTrailEventId: id,
        kmsRequestId: id,
      })
    }
    seen.add(operation)
    service().moveClock(1000)
  }
  const { keyId } = symmetric
  const { ciphertextBlob } = await call('Encrypt', { keyId, plaintext: message })
  await expectUse('Encrypt', symmetric)
  await call('Decrypt', { ciphertextBlob })
  await expectUse('Decrypt', symmetric)
  await call('ReEncrypt', { ciphertextBlob, destinationKeyId: other.keyId })
  await expectUse('ReEncrypt', symmetric, other)
  await call('GenerateDataKey', { keyId, keySpec: 'AES_256' })
  await expectUse('GenerateDataKey', symmetric)
  await call('GenerateDataKeyWithoutPlaintext', { keyId, keySpec: 'AES_256' })
  await expectUse('GenerateDataKeyWithoutPlaintext', symmetric)
  await call('GenerateDataKeyPair', { keyId, keyPairSpec: 'ECC_NIST_P256' })
  await expectUse('GenerateDataKeyPair', symmetric)
  await call('GenerateDataKeyPairWithoutPlaintext', { keyId, keyPairSpec: 'ECC_NIST_P256' })
  await expectUse('GenerateDataKeyPairWithoutPlaintext', symmetric)
  const signing = { keyId: signs.keyId, message, signingAlgorithm: 'ECDSA_SHA_256' } as const
  const { signature } = await call('Sign', signing)
  await expectUse('Sign', signs)
  await call('Verify', { ...signing, signature })
  await expectUse('Verify', signs)
  const macing = { keyId: macs.keyId, message, macAlgorithm: 'HMAC_SHA_256' } as const
  const { mac } = await call('GenerateMac', macing)
  await expectUse('GenerateMac', macs)
  await call('VerifyMac', { ...macing, mac })
  await expectUse('VerifyMac', macs)
  const peer = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey
  const publicKey = peer.export({ type: 'spki', format: 'der' })
  const agreeing = { keyId: agrees.keyId, keyAgreementAlgorithm: 'ECDH', publicKey } as const
  await call('DeriveSharedSecret', agreeing)
  await expectUse('DeriveSharedSecret', agrees)
  expect([...seen].toSorted()).toEqual([...USING_OPERATIONS])
})

test('each operation for keys of one usage is a use of them', () => {
  const using = Object.values(OPERATIONS).filter(({ needs }) =>
    Object.values(needs).some((need) => need.kind === 'key' && need.usage !== undefined),
  )
  expect(using.map(({ name }) => name).toSorted()).toEqual([...USING_OPERATIONS])
})

test('what fails, what is rehearsed and what only looks is no use', async () => {
  const { keyId } = await newKey({ keySpec: 'ECC_NIST_P256', keyUsage: 'SIGN_VERIFY' })
  const signing = { keyId, message, signingAlgorithm: 'ECDSA_SHA_256' } as const
  await expectFailure('Sign', { ...signing, dryRun: true }, 'DryRunOperationException')
  const forged = { ...signing, signature: Buffer.alloc(70, 1) }
  await expectFailure('Verify', forged, 'KMSInvalidSignatureException')
  await call('GetPublicKey', { keyId })
  await call('DescribeKey', { keyId })
  expect(await lastUse({ keyId })).toEqual({})
})

test('is written by a job and at a stop, and outlives both', async () => {
  const [one, two] = [await newKey(), await newKey()]
  await call('Encrypt', { keyId: one.keyId, plaintext: message })
  const [used, at] = [await lastUse(one), service().clock()]
  await service().runJobs()
  await call('GenerateDataKey', { keyId: two.keyId, keySpec: 'AES_128' })
  await service().restart()
  service().moveClock(1000)
  expect(await lastUse(one)).toEqual(used)
  const timestamp = new Date(at)
  expect(await lastUse(two)).toMatchObject({ operation: 'GenerateDataKey', timestamp })
})

test('takes key ids and key ARNs of the caller’s own account, in every state', async () => {
  const { keyId, arn } = await newKey()
  await call('Encrypt', { keyId, plaintext: message })
  await call('CreateAlias', { aliasName: 'alias/used', targetKeyId: keyId })
  await call('ScheduleKeyDeletion', { keyId })
  expect(await lastUse({ keyId: arn })).toMatchObject({ operation: 'Encrypt' })
  await expectFailure('GetKeyLastUsage', { keyId: 'alias/used' }, 'NotFoundException')
  await expectFailure('GetKeyLastUsage', { keyId: MISSING }, 'NotFoundException')
  const stranger = service().clientOf('444455556666')
  await expect(stranger.call('GetKeyLastUsage', { keyId: arn })).rejects.toMatchObject({
    name: 'AccessDeniedException',
  })
})

test('AWS’s client reads it off the AWS door', async () => {
  const { keyId } = await newKey()
  const { kms } = sdkClient()
  const command = new GetKeyLastUsageCommand({ KeyId: keyId })
  const { $metadata: _, ...unused } = await kms.send(command)
  const made = new Date(service().clock())
  const dates = { KeyCreationDate: made, TrackingStartDate: made }
  expect(unused).toStrictEqual({ KeyId: keyId, KeyLastUsage: {}, ...dates })
  await call('Encrypt', { keyId, plaintext: message })
  const id = lastRequestId('Encrypt')
  const { $metadata: __, ...used } = await kms.send(command)
  expect(used).toStrictEqual({
    KeyId: keyId,
    KeyLastUsage: {
      Operation: 'Encrypt',
      Timestamp: made,
      CloudTrailEventId: id,
      KmsRequestId: id,
    },
    ...dates,
  })
})

/**
 * DescribeKey, GetPublicKey and CreateKey of every kind of key: each member that AWS documents for
 * the kind and no other, as AWS's own client reads them off the AWS door.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html
 */

import { DescribeKeyCommand, GetPublicKeyCommand, type KeyMetadata } from '@aws-sdk/client-kms'
import { beforeAll, describe, expect, test } from 'vitest'
import { importInto, newExternalKey } from '../import/material.ts'
import { call, days, service, useService } from '../service.ts'
import { algorithmsOf, isPair, isSymmetric, KINDS, type Kind, NOT_OFFERED } from './documents.ts'
import { isInFull } from './outcomes.ts'
import { sdkClient } from './sdk.ts'
import { bring, newSubject, type References, references, type Subject } from './subjects.ts'

useService()

let refs: References
beforeAll(async () => {
  refs = await references()
})

const isQuick = ({ spec }: Kind) => isInFull || !/^RSA_(3072|4096)$/.test(spec)
const named = (kind: Kind) => [`${kind.spec} ${kind.usage}`, kind] as const
const made = KINDS.filter(({ origin }) => origin === 'AWS_KMS').filter(isQuick)
const imported = KINDS.filter(({ origin }) => origin === 'EXTERNAL')

const ALGORITHM_MEMBERS: Readonly<Record<string, string>> = {
  ENCRYPT_DECRYPT: 'EncryptionAlgorithms',
  SIGN_VERIFY: 'SigningAlgorithms',
  GENERATE_VERIFY_MAC: 'MacAlgorithms',
  KEY_AGREEMENT: 'KeyAgreementAlgorithms',
}

async function described({ keyId }: { keyId: string }): Promise<KeyMetadata | undefined> {
  return (await sdkClient().kms.send(new DescribeKeyCommand({ KeyId: keyId }))).KeyMetadata
}

/** The algorithms of a key; in no order that AWS promises. */
function algorithms({ spec, usage }: Kind): object {
  const offered = algorithmsOf(spec, usage).filter((name) => !NOT_OFFERED.includes(name))
  return { [ALGORITHM_MEMBERS[usage] ?? '']: expect.toSatisfy(isInAnyOrder(offered)) }
}

const isInAnyOrder = (names: readonly string[]) => (found: readonly string[]) =>
  found.toSorted().join() === names.toSorted().join()

/** What every key has. */
function always(kind: Kind, { keyId, arn }: { keyId: string; arn: string }, state: string) {
  return {
    AWSAccountId: service().place.account,
    KeyId: keyId,
    Arn: arn,
    CreationDate: new Date(Math.floor(service().clock())),
    Enabled: state === 'Enabled',
    Description: '',
    KeyUsage: kind.usage,
    KeyState: state,
    Origin: kind.origin,
    KeyManager: 'CUSTOMER',
    KeySpec: kind.spec,
    CustomerMasterKeySpec: kind.spec,
    MultiRegion: false,
    ...algorithms(kind),
  }
}

const MATERIAL_ID = expect.stringMatching(/^[0-9a-f]{64}$/)

describe.each(made.map(named))('%s', (_name, kind) => {
  let subject: Subject
  beforeAll(async () => {
    subject = await newSubject(kind, refs)
  })
  const ofMaterial = isSymmetric(kind) ? { CurrentKeyMaterialId: MATERIAL_ID } : {}

  test('is described with the members of its kind, in each state', async () => {
    const expected = (state: string) => ({ ...always(kind, subject, state), ...ofMaterial })
    expect(await described(subject)).toStrictEqual(expected('Enabled'))
    await bring(subject, 'Disabled')
    expect(await described(subject)).toStrictEqual(expected('Disabled'))
    await bring(subject, 'PendingDeletion')
    expect(await described(subject)).toStrictEqual({
      ...expected('PendingDeletion'),
      DeletionDate: new Date(service().clock() + days(30)),
    })
  })

  test.runIf(isPair(kind))('has a public key with what may be done with it', async () => {
    await bring(subject, 'Enabled')
    const command = new GetPublicKeyCommand({ KeyId: subject.keyId })
    const { $metadata: _, ...found } = await sdkClient().kms.send(command)
    expect(found).toStrictEqual({
      KeyId: subject.arn,
      PublicKey: expect.any(Uint8Array),
      CustomerMasterKeySpec: kind.spec,
      KeySpec: kind.spec,
      KeyUsage: kind.usage,
      ...algorithms(kind),
    })
  })
})

test.each(imported.map(named))('%s waits for its import with nothing more', async (_name, kind) => {
  const { spec, usage } = kind
  const key = await newExternalKey({
    keySpec: spec as 'RSA_2048',
    keyUsage: usage as 'SIGN_VERIFY',
  })
  expect(await described(key)).toStrictEqual(always(kind, key, 'PendingImport'))
})

test('imported material says whether and when it ends, and the key which one it uses', async () => {
  const kind = { spec: 'HMAC_256', usage: 'GENERATE_VERIFY_MAC', origin: 'EXTERNAL' } as const
  const key = await newExternalKey({ keySpec: kind.spec, keyUsage: kind.usage })
  const material = Buffer.alloc(32, 7)
  await importInto(key.keyId, material)
  expect(await described(key)).toStrictEqual({
    ...always(kind, key, 'Enabled'),
    ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
  })
  const validTo = new Date(service().clock() + days(2))
  const expiring = { expirationModel: 'KEY_MATERIAL_EXPIRES', validTo } as const
  await importInto(key.keyId, material, expiring)
  expect(await described(key)).toStrictEqual({
    ...always(kind, key, 'Enabled'),
    ExpirationModel: 'KEY_MATERIAL_EXPIRES',
    ValidTo: validTo,
  })
  await call('DeleteImportedKeyMaterial', { keyId: key.keyId })
  expect(await described(key)).toStrictEqual(always(kind, key, 'PendingImport'))

  const symmetric = {
    spec: 'SYMMETRIC_DEFAULT',
    usage: 'ENCRYPT_DECRYPT',
    origin: 'EXTERNAL',
  } as const
  const other = await newExternalKey()
  await importInto(other.keyId, material)
  expect(await described(other)).toStrictEqual({
    ...always(symmetric, other, 'Enabled'),
    ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
    CurrentKeyMaterialId: MATERIAL_ID,
  })
})

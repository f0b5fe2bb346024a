/**
 * Rotation of keys that do not rotate, or not by themselves: asymmetric ones, those for MACs and
 * imported ones.
 * https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
 */

import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Service } from '../../../src/service.ts'
import { importInto, newExternalKey, newImportedKey } from '../import/material.ts'
import { call, days, expectFailure, newKey, service, useService } from '../service.ts'

useService()

type CreateKey = Partial<Service['CreateKey']['request']>

const UNSUPPORTED = 'UnsupportedOperationException'
const rotationPeriodInDays = 90
const PAIRS_AND_SECRETS: readonly CreateKey[] = [
  { keySpec: 'RSA_2048', keyUsage: 'ENCRYPT_DECRYPT', origin: 'AWS_KMS' },
  { keySpec: 'RSA_2048', keyUsage: 'SIGN_VERIFY', origin: 'AWS_KMS' },
  { keySpec: 'ECC_NIST_P256', keyUsage: 'SIGN_VERIFY', origin: 'AWS_KMS' },
  { keySpec: 'ECC_NIST_P256', keyUsage: 'KEY_AGREEMENT', origin: 'AWS_KMS' },
  { keySpec: 'ECC_NIST_EDWARDS25519', keyUsage: 'SIGN_VERIFY', origin: 'AWS_KMS' },
  { keySpec: 'HMAC_256', keyUsage: 'GENERATE_VERIFY_MAC', origin: 'AWS_KMS' },
  { keySpec: 'HMAC_512', keyUsage: 'GENERATE_VERIFY_MAC', origin: 'EXTERNAL' },
]

describe.each(PAIRS_AND_SECRETS)('$keySpec for $keyUsage, $origin', (kind) => {
  test('never rotates, and its status is that it is off', async () => {
    const { keyId, arn } = await newKey(kind)
    if (kind.origin === 'EXTERNAL') await importInto(keyId, randomBytes(64))
    await expectFailure('EnableKeyRotation', { keyId, rotationPeriodInDays }, UNSUPPORTED, arn)
    await expectFailure('DisableKeyRotation', { keyId }, UNSUPPORTED, arn)
    await expectFailure('RotateKeyOnDemand', { keyId }, UNSUPPORTED, arn)
    await expectFailure('ListKeyRotations', { keyId }, UNSUPPORTED, arn)
    const off = { keyRotationEnabled: false, keyId }
    expect(await call('GetKeyRotationStatus', { keyId })).toEqual(off)
    await call('DisableKey', { keyId })
    expect(await call('GetKeyRotationStatus', { keyId })).toEqual(off)
    await expectFailure('RotateKeyOnDemand', { keyId }, UNSUPPORTED, arn)
  })
})

describe('a symmetric key of imported material', () => {
  test('does not rotate by itself, and its status is that it is off', async () => {
    const { keyId } = await newImportedKey()
    const words = 'origin is EXTERNAL'
    await expectFailure('EnableKeyRotation', { keyId, rotationPeriodInDays }, UNSUPPORTED, words)
    await expectFailure('DisableKeyRotation', { keyId }, UNSUPPORTED, words)
    const off = { keyRotationEnabled: false, keyId }
    expect(await call('GetKeyRotationStatus', { keyId })).toEqual(off)
    service().moveClock(days(400))
    await service().runJobs()
    expect((await call('ListKeyRotations', { keyId })).rotations).toEqual([])
  })

  test('rotates on demand to new material that has been imported, and not without', async () => {
    const { keyId } = await newImportedKey()
    const state = 'KMSInvalidStateException'
    await expectFailure('RotateKeyOnDemand', { keyId }, state, 'pending rotation')
    const imported = await importInto(keyId, randomBytes(32), { importType: 'NEW_KEY_MATERIAL' })
    expect(await call('RotateKeyOnDemand', { keyId })).toEqual({ keyId })
    const { rotations } = await call('ListKeyRotations', { keyId })
    expect(rotations).toMatchObject([
      { keyId, rotationType: 'ON_DEMAND', keyMaterialId: imported.keyMaterialId },
    ])
    await expectFailure('RotateKeyOnDemand', { keyId }, state, 'pending rotation')
  })

  test('that waits for its first import tells its status, and rotates nothing', async () => {
    const { keyId } = await newExternalKey()
    const off = { keyRotationEnabled: false, keyId }
    expect(await call('GetKeyRotationStatus', { keyId })).toEqual(off)
    await expectFailure('EnableKeyRotation', { keyId }, UNSUPPORTED)
    await expectFailure('RotateKeyOnDemand', { keyId }, 'KMSInvalidStateException')
  })
})

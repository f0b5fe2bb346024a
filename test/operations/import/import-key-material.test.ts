/** ImportKeyMaterial. */

import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { call, days, expectFailure, newKey, service, useService } from '../service.ts'
import {
  ALGORITHMS,
  expiring,
  importInto,
  newExternalKey,
  newImportedKey,
  prepared,
  stateOf,
  WRAPPING_KEY_SPECS,
  wrap,
} from './material.ts'

useService()

const plaintext = Buffer.from('under a key that its owner has made')
/** Each algorithm, and each wrapping key spec; the rest of the matrix takes a minute. */
const wrappings = ALGORITHMS.flatMap((wrappingAlgorithm) =>
  WRAPPING_KEY_SPECS.map((wrappingKeySpec) => ({ wrappingAlgorithm, wrappingKeySpec })),
).filter(
  ({ wrappingAlgorithm, wrappingKeySpec }) =>
    process.env.KEYSLOT_VECTORS === 'full' ||
    wrappingKeySpec === 'RSA_2048' ||
    wrappingAlgorithm === (wrappingKeySpec === 'RSA_3072' ? ALGORITHMS[1] : ALGORITHMS[3]),
)

test.each(wrappings)(
  'takes $wrappingAlgorithm under $wrappingKeySpec',
  async ({ wrappingAlgorithm, wrappingKeySpec }) => {
    const { keyId, arn } = await newExternalKey()
    const material = randomBytes(32)
    const wrapping = { wrappingAlgorithm, wrappingKeySpec }
    const imported = await importInto(keyId, material, {}, wrapping)
    expect(imported).toEqual({ keyId: arn, keyMaterialId: expect.stringMatching(/^[0-9a-f]{64}$/) })
    const { ciphertextBlob } = await call('Encrypt', { keyId, plaintext })
    expect((await call('Decrypt', { ciphertextBlob })).plaintext).toEqual(plaintext)
    const { keyMetadata } = await call('DescribeKey', { keyId })
    expect(keyMetadata).toMatchObject({
      origin: 'EXTERNAL',
      keyState: 'Enabled',
      enabled: true,
      expirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
      currentKeyMaterialId: imported.keyMaterialId,
    })
  },
)

describe('which material', () => {
  test('the same again after it was deleted: old ciphertexts decrypt', async () => {
    const { keyId, material, keyMaterialId } = await newImportedKey()
    const { ciphertextBlob } = await call('Encrypt', { keyId, plaintext })
    await call('DeleteImportedKeyMaterial', { keyId })
    expect(await importInto(keyId, material)).toMatchObject({ keyMaterialId })
    expect((await call('Decrypt', { ciphertextBlob })).plaintext).toEqual(plaintext)
  })

  test('no other into a key that has had one, unless it is called new', async () => {
    const { keyId } = await newImportedKey()
    const other = await prepared(keyId, randomBytes(32))
    await expectFailure('ImportKeyMaterial', other, 'IncorrectKeyMaterialException')
    await call('DeleteImportedKeyMaterial', { keyId })
    await expectFailure('ImportKeyMaterial', other, 'IncorrectKeyMaterialException')
    const existing = { ...other, importType: 'EXISTING_KEY_MATERIAL' } as const
    await expectFailure('ImportKeyMaterial', existing, 'IncorrectKeyMaterialException')
    expect(await stateOf(keyId)).toBe('PendingImport')
  })

  test('none that is called new and is not, or existing and is not', async () => {
    const { keyId, material } = await newImportedKey()
    const again = { ...(await prepared(keyId, material)), importType: 'NEW_KEY_MATERIAL' } as const
    await expectFailure('ImportKeyMaterial', again, 'IncorrectKeyMaterialException', 'already')
    const { keyId: empty } = await newExternalKey()
    const first = {
      ...(await prepared(empty, material)),
      importType: 'EXISTING_KEY_MATERIAL',
    } as const
    await expectFailure('ImportKeyMaterial', first, 'IncorrectKeyMaterialException', 'before')
  })

  test('has an id of the key and the material, which must match the one that is given', async () => {
    const { keyId, material, keyMaterialId = '' } = await newImportedKey()
    const other = await newExternalKey()
    expect((await importInto(other.keyId, material)).keyMaterialId).not.toBe(keyMaterialId)
    const request = await prepared(keyId, material)
    const wrong = { ...request, keyMaterialId: '0'.repeat(64) }
    await expectFailure('ImportKeyMaterial', wrong, 'IncorrectKeyMaterialException', '0000')
    await call('ImportKeyMaterial', { ...request, keyMaterialId })
    const named = { ...request, keyMaterialId, importType: 'NEW_KEY_MATERIAL' } as const
    await expectFailure('ImportKeyMaterial', named, 'ValidationException')
  })

  test.each(ALGORITHMS)('none of another length by %s', async (wrappingAlgorithm) => {
    const { keyId } = await newExternalKey()
    const how = { wrappingAlgorithm, wrappingKeySpec: 'RSA_2048' } as const
    const { importToken, publicKey } = await call('GetParametersForImport', { keyId, ...how })
    const expirationModel = 'KEY_MATERIAL_DOES_NOT_EXPIRE'
    for (const length of [1, 8, 16, 24, 31, 33, 40, 64]) {
      const encryptedKeyMaterial = wrap(randomBytes(length), publicKey, wrappingAlgorithm)
      const request = { keyId, importToken, encryptedKeyMaterial, expirationModel } as const
      await expectFailure('ImportKeyMaterial', request, 'IncorrectKeyMaterialException')
    }
    expect(await stateOf(keyId)).toBe('PendingImport')
  })
})

test('two keys of two imported materials: neither decrypts what was spliced from the other', async () => {
  const [one, other] = [await newImportedKey(), await newImportedKey()]
  const encrypt = async (keyId: string) =>
    (await call('Encrypt', { keyId, plaintext })).ciphertextBlob
  const [ofOne, ofOther] = [await encrypt(one.keyId), await encrypt(other.keyId)]
  // Magic, version and suite, then the two ids: 37 bytes that say which key it is.
  for (const end of [21, 37]) {
    const spliced = Buffer.concat([ofOther.subarray(0, end), ofOne.subarray(end)])
    await expectFailure('Decrypt', { ciphertextBlob: spliced }, 'InvalidCiphertextException')
  }
  await expectFailure(
    'Decrypt',
    { ciphertextBlob: ofOne, keyId: other.keyId },
    'IncorrectKeyException',
  )
})

test('new material waits until the key is rotated', async () => {
  const { keyId, keyMaterialId } = await newImportedKey({ keyMaterialDescription: 'first' })
  const before = (await call('Encrypt', { keyId, plaintext })).ciphertextBlob
  const second = await importInto(keyId, randomBytes(32), {
    importType: 'NEW_KEY_MATERIAL',
    keyMaterialDescription: 'second',
  })
  const pending = await call('ListKeyRotations', { keyId, includeKeyMaterial: 'ALL_KEY_MATERIAL' })
  const shared = {
    importState: 'IMPORTED',
    expirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
  } as const
  expect(pending.rotations).toMatchObject([
    { ...shared, keyMaterialId, keyMaterialState: 'CURRENT', keyMaterialDescription: 'first' },
    {
      ...shared,
      keyMaterialId: second.keyMaterialId,
      keyMaterialState: 'PENDING_ROTATION',
      keyMaterialDescription: 'second',
    },
  ])
  const isNew = { importType: 'NEW_KEY_MATERIAL' } as const
  const third = { ...(await prepared(keyId, randomBytes(32))), ...isNew }
  await expectFailure('ImportKeyMaterial', third, 'KMSInvalidStateException', 'pending rotation')
  await call('RotateKeyOnDemand', { keyId })
  const after = await call('ListKeyRotations', { keyId, includeKeyMaterial: 'ALL_KEY_MATERIAL' })
  expect(after.rotations).toMatchObject([
    { keyMaterialId, keyMaterialState: 'NON_CURRENT' },
    { keyMaterialId: second.keyMaterialId, keyMaterialState: 'CURRENT', rotationType: 'ON_DEMAND' },
  ])
  const now = await call('Encrypt', { keyId, plaintext })
  expect(await call('Decrypt', { ciphertextBlob: now.ciphertextBlob })).toMatchObject({
    keyMaterialId: second.keyMaterialId,
  })
  expect(await call('Decrypt', { ciphertextBlob: before })).toMatchObject({ keyMaterialId })
  await expectFailure(
    'RotateKeyOnDemand',
    { keyId },
    'KMSInvalidStateException',
    'pending rotation',
  )
  await expectFailure('EnableKeyRotation', { keyId }, 'UnsupportedOperationException')
})

describe('an import token', () => {
  test('is good once', async () => {
    const { keyId } = await newExternalKey()
    const request = await prepared(keyId, randomBytes(32))
    await call('ImportKeyMaterial', request)
    await expectFailure('ImportKeyMaterial', request, 'InvalidImportTokenException', 'used')
    await call('DeleteImportedKeyMaterial', { keyId })
    await expectFailure('ImportKeyMaterial', request, 'InvalidImportTokenException', 'used')
  })

  test('is good for one key, whoever has it', async () => {
    const [one, other] = [await newExternalKey(), await newExternalKey()]
    const { importToken, ...request } = await prepared(one.keyId, randomBytes(32))
    const foreign = { ...request, importToken, keyId: other.keyId }
    await expectFailure('ImportKeyMaterial', foreign, 'InvalidImportTokenException', other.arn)
    const client = service().clientOf('444455556666')
    const theirs = (await client.call('CreateKey', { origin: 'EXTERNAL' })).keyMetadata?.keyId ?? ''
    await expect(
      client.call('ImportKeyMaterial', { ...request, importToken, keyId: theirs }),
    ).rejects.toMatchObject({ name: 'InvalidImportTokenException' })
    await call('ImportKeyMaterial', { ...request, importToken })
  })

  test('is good as it is', async () => {
    const { keyId } = await newExternalKey()
    const { importToken, ...request } = await prepared(keyId, randomBytes(32))
    const mutations = Array.from({ length: importToken.length }, (_, at) => {
      const mutated = Buffer.from(importToken)
      mutated[at] = (mutated[at] ?? 0) ^ (1 << (at % 8))
      return mutated
    })
    const cut = [importToken.subarray(1), importToken.subarray(0, -1), Buffer.alloc(6144, 1)]
    for (const mutated of [...mutations, ...cut]) {
      const tried = { ...request, importToken: mutated }
      await expectFailure('ImportKeyMaterial', tried, 'InvalidImportTokenException')
    }
  })

  test('is good for 24 hours, and its wrapping key is destroyed then', async () => {
    const { keyId } = await newExternalKey()
    const request = await prepared(keyId, randomBytes(32))
    const { objects } = service().service.hsm
    const before = await objects.listWrappingKeys()
    service().moveClock(days(1))
    await expectFailure('ImportKeyMaterial', request, 'ExpiredImportTokenException')
    await service().runJobs()
    await expectFailure('ImportKeyMaterial', request, 'ExpiredImportTokenException')
    expect(before.length).toBeGreaterThan(0)
    expect(await objects.listWrappingKeys()).toEqual([])
  })

  test('ends after twenty failures', async () => {
    const { keyId } = await newExternalKey()
    const request = await prepared(keyId, randomBytes(32))
    const garbage = { ...request, encryptedKeyMaterial: Buffer.alloc(256, 1) }
    for (let tried = 0; tried < 20; tried += 1) {
      await expectFailure('ImportKeyMaterial', garbage, 'InvalidCiphertextException')
    }
    await expectFailure('ImportKeyMaterial', request, 'InvalidImportTokenException', 'too often')
  })
})

test('does not tell why something cannot be decrypted', async () => {
  const answers = new Set<string>()
  for (const wrappingAlgorithm of ALGORITHMS) {
    const { keyId } = await newExternalKey()
    const request = await prepared(keyId, randomBytes(32), { wrappingAlgorithm })
    const good = request.encryptedKeyMaterial
    const flip = (at: number) => {
      const flipped = Buffer.from(good)
      flipped[at] = (flipped[at] ?? 0) ^ 1
      return flipped
    }
    const bad = [
      flip(1),
      flip(255),
      flip(good.length - 1),
      Buffer.concat([Buffer.alloc(256, 255), good.subarray(256)]),
      Buffer.concat([Buffer.alloc(256), good.subarray(256)]),
      good.subarray(1),
      Buffer.concat([good, Buffer.alloc(8)]),
      Buffer.alloc(1),
    ]
    for (const encryptedKeyMaterial of bad) {
      const failure = await call('ImportKeyMaterial', { ...request, encryptedKeyMaterial }).then(
        () => 'accepted',
        ({ name, message, grpcStatus }) => `${name} ${message} ${grpcStatus}`,
      )
      answers.add(failure)
    }
    await call('ImportKeyMaterial', request)
  }
  expect([...answers]).toEqual([expect.stringMatching(/^InvalidCiphertextException /)])
})

describe('what expires', () => {
  test('is told of, and refused from that moment, before any job has run', async () => {
    const { keyId, material } = await newImportedKey(expiring(service().clock(), days(2)))
    const { ciphertextBlob } = await call('Encrypt', { keyId, plaintext })
    const { keyMetadata } = await call('DescribeKey', { keyId })
    expect(keyMetadata).toMatchObject({
      expirationModel: 'KEY_MATERIAL_EXPIRES',
      validTo: new Date(service().clock() + days(2)),
    })
    service().moveClock(days(2))
    expect(await stateOf(keyId)).toBe('PendingImport')
    const failure = 'KMSInvalidStateException'
    await expectFailure('Decrypt', { ciphertextBlob }, failure, 'pending import')
    await expectFailure('Encrypt', { keyId, plaintext }, failure, 'pending import')
    await importInto(keyId, material, expiring(service().clock(), days(1)))
    expect((await call('Decrypt', { ciphertextBlob })).plaintext).toEqual(plaintext)
  })

  test('can be put off, or made to stay, by importing it again', async () => {
    const { keyId, material, keyMaterialId } = await newImportedKey({
      ...expiring(service().clock(), days(2)),
      keyMaterialDescription: 'kept',
    })
    expect(await importInto(keyId, material)).toMatchObject({ keyMaterialId })
    const { keyMetadata } = await call('DescribeKey', { keyId })
    expect(keyMetadata).toMatchObject({ expirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' })
    expect(keyMetadata?.validTo).toBeUndefined()
    service().moveClock(days(3))
    await service().runJobs()
    expect(await stateOf(keyId)).toBe('Enabled')
    const { rotations } = await call('ListKeyRotations', {
      keyId,
      includeKeyMaterial: 'ALL_KEY_MATERIAL',
    })
    expect(rotations).toMatchObject([{ keyMaterialDescription: 'kept' }])
  })

  test('has a date, in the future and within a year', async () => {
    const { keyId } = await newExternalKey()
    const request = await prepared(keyId, randomBytes(32))
    const failure = 'ValidationException'
    const expires = { ...request, expirationModel: 'KEY_MATERIAL_EXPIRES' } as const
    await expectFailure('ImportKeyMaterial', expires, failure, 'ValidTo')
    await expectFailure('ImportKeyMaterial', { ...expires, expirationModel: undefined }, failure)
    for (const aheadMs of [-1, 0, days(365) + 1]) {
      const dated = { ...request, ...expiring(service().clock(), aheadMs) }
      await expectFailure('ImportKeyMaterial', dated, failure, 'ValidTo')
    }
    const both = { ...request, validTo: new Date(service().clock() + days(1)) }
    await expectFailure('ImportKeyMaterial', both, failure, 'ValidTo')
    await call('ImportKeyMaterial', { ...request, ...expiring(service().clock(), days(365)) })
  })
})

test('refuses keys that take no import, or not now', async () => {
  const made = await newKey()
  const { keyId } = await newExternalKey()
  const request = await prepared(keyId, randomBytes(32))
  await expectFailure(
    'ImportKeyMaterial',
    { ...request, keyId: made.keyId },
    'UnsupportedOperationException',
  )
  await call('ScheduleKeyDeletion', { keyId })
  await expectFailure('ImportKeyMaterial', request, 'KMSInvalidStateException')
  await call('CancelKeyDeletion', { keyId })
  expect(await stateOf(keyId)).toBe('PendingImport')
  await call('ImportKeyMaterial', request)
  expect(await stateOf(keyId)).toBe('Enabled')
})

test('leaves a disabled key disabled', async () => {
  const { keyId, material } = await newImportedKey()
  await call('DisableKey', { keyId })
  await importInto(keyId, material, expiring(service().clock(), days(1)))
  expect(await stateOf(keyId)).toBe('Disabled')
})

test('keeps token and material out of the audit log', async () => {
  const { arn } = await newImportedKey({ keyMaterialDescription: 'audited' })
  const records = service().auditRecords()
  const [record] = records.filter(
    ({ eventName, resources }) => eventName === 'ImportKeyMaterial' && resources[0]?.ARN === arn,
  )
  expect(record?.requestParameters).toMatchObject({ keyMaterialDescription: 'audited' })
  expect(Object.keys(record?.requestParameters ?? {})).not.toContain('importToken')
  expect(Object.keys(record?.requestParameters ?? {})).not.toContain('encryptedKeyMaterial')
})

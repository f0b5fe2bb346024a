/** GetParametersForImport. */

import { createPublicKey } from 'node:crypto'
import { expect, test } from 'vitest'
import { call, days, expectFailure, newKey, service, useService } from '../service.ts'
import { newExternalKey } from './material.ts'

useService()

const how = { wrappingAlgorithm: 'RSAES_OAEP_SHA_256', wrappingKeySpec: 'RSA_2048' } as const

test('answers a new public key and a token each time, good for a day', async () => {
  const { keyId, arn } = await newExternalKey()
  const answers = [
    await call('GetParametersForImport', { keyId, ...how }),
    await call('GetParametersForImport', { keyId, ...how }),
  ]
  for (const { publicKey, ...rest } of answers) {
    const key = createPublicKey({ key: publicKey, format: 'der', type: 'spki' })
    expect(key.asymmetricKeyDetails).toEqual({ modulusLength: 2048, publicExponent: 65537n })
    expect(rest).toEqual({
      keyId: arn,
      importToken: expect.any(Buffer),
      parametersValidTo: new Date(service().clock() + days(1)),
    })
  }
  const [one, other] = answers.map(({ publicKey, importToken }) => [publicKey, importToken])
  expect(one?.[0]).not.toEqual(other?.[0])
  expect(one?.[1]).not.toEqual(other?.[1])
})

test('refuses what AWS has withdrawn, and SM2', async () => {
  const { keyId } = await newExternalKey()
  const failure = 'UnsupportedOperationException'
  for (const wrappingAlgorithm of ['RSAES_PKCS1_V1_5', 'SM2PKE'] as const) {
    const request = { keyId, ...how, wrappingAlgorithm }
    await expectFailure('GetParametersForImport', request, failure, wrappingAlgorithm)
  }
  const request = { keyId, ...how, wrappingKeySpec: 'SM2' } as const
  await expectFailure('GetParametersForImport', request, failure, 'SM2')
  await expectFailure('GetParametersForImport', { keyId }, 'ValidationException')
})

test('refuses keys that take no import, or not now', async () => {
  const { keyId } = await newKey()
  const failure = 'UnsupportedOperationException'
  await expectFailure('GetParametersForImport', { keyId, ...how }, failure, 'AWS_KMS')
  const external = await newExternalKey()
  await call('ScheduleKeyDeletion', { keyId: external.keyId })
  const request = { keyId: external.keyId, ...how }
  await expectFailure('GetParametersForImport', request, 'KMSInvalidStateException')
})

test('bounds how many wrapping keys a key has', async () => {
  const { keyId } = await newExternalKey()
  const asked = Array.from({ length: 12 }, () => call('GetParametersForImport', { keyId, ...how }))
  const ended = await Promise.allSettled(asked)
  expect(ended.filter(({ status }) => status === 'fulfilled')).toHaveLength(10)
  await expectFailure('GetParametersForImport', { keyId, ...how }, 'LimitExceededException', '10')
  service().moveClock(days(1))
  await call('GetParametersForImport', { keyId, ...how })
})

test('does not hold up those who use keys', async () => {
  const { keyId } = await newKey()
  const external = await newExternalKey()
  let isMade = false
  const request = { keyId: external.keyId, ...how, wrappingKeySpec: 'RSA_4096' } as const
  const making = call('GetParametersForImport', request).then(() => {
    isMade = true
  })
  let calls = 0
  let slowestMs = 0
  while (!isMade) {
    const beganMs = performance.now()
    await call('Encrypt', { keyId, plaintext: Buffer.from('meanwhile') })
    slowestMs = Math.max(slowestMs, performance.now() - beganMs)
    calls += 1
  }
  await making
  console.log(
    `${calls} encryptions while a wrapping key was made, ${slowestMs.toFixed()} ms at most`,
  )
  expect(calls).toBeGreaterThan(10)
})

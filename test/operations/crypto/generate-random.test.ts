/** GenerateRandom. */

import { expect, test } from 'vitest'
import { call, expectFailure, useService } from '../service.ts'

useService()

test.each([[1], [32], [1024]])('makes %i bytes', async (numberOfBytes) => {
  const { plaintext } = await call('GenerateRandom', { numberOfBytes })
  expect(plaintext).toHaveLength(numberOfBytes)
})

test('makes other bytes each time', async () => {
  const one = await call('GenerateRandom', { numberOfBytes: 32 })
  const two = await call('GenerateRandom', { numberOfBytes: 32 })
  expect(one.plaintext.equals(two.plaintext)).toBe(false)
})

test('refuses what AWS refuses', async () => {
  await expectFailure('GenerateRandom', {}, 'ValidationException', 'numberOfBytes')
  await expectFailure('GenerateRandom', { numberOfBytes: 0 }, 'ValidationException')
  await expectFailure('GenerateRandom', { numberOfBytes: 1025 }, 'ValidationException')
  const store = { numberOfBytes: 1, customKeyStoreId: 'cks-1' }
  await expectFailure('GenerateRandom', store, 'UnsupportedOperationException')
  const attested = { numberOfBytes: 1, recipient: { attestationDocument: Buffer.of(1) } }
  await expectFailure('GenerateRandom', attested, 'UnsupportedOperationException')
})

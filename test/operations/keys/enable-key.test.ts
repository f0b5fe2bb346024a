/** EnableKey. */

import { expect, test } from 'vitest'
import { call, expectFailure, MISSING, newKey, useService } from '../service.ts'

useService()

const plaintext = Buffer.from('secret')

test('switches a key on again, and twice is no error', async () => {
  const { keyId } = await newKey()
  await call('DisableKey', { keyId })
  await call('EnableKey', { keyId })
  await call('EnableKey', { keyId })
  const { ciphertextBlob } = await call('Encrypt', { keyId, plaintext })
  expect((await call('Decrypt', { ciphertextBlob })).plaintext).toEqual(plaintext)
})

test('does not bring a key back from its deletion', async () => {
  const { keyId } = await newKey()
  await call('ScheduleKeyDeletion', { keyId })
  await expectFailure('EnableKey', { keyId }, 'KMSInvalidStateException', 'is pending deletion')
  await expectFailure('EnableKey', { keyId: MISSING }, 'NotFoundException')
})

/** DisableKey. */

import { expect, test } from 'vitest'
import { call, expectFailure, newKey, useService } from '../service.ts'

useService()

test('takes effect at once, for every use of the key', async () => {
  const { keyId } = await newKey()
  const other = await newKey()
  const plaintext = Buffer.from('secret')
  const { ciphertextBlob } = await call('Encrypt', { keyId, plaintext })
  await call('DisableKey', { keyId })
  const off = ['DisabledException', 'is disabled'] as const
  await expectFailure('Encrypt', { keyId, plaintext }, ...off)
  await expectFailure('Decrypt', { ciphertextBlob }, ...off)
  await expectFailure('GenerateDataKey', { keyId, keySpec: 'AES_256' }, ...off)
  await expectFailure('ReEncrypt', { ciphertextBlob, destinationKeyId: other.keyId }, ...off)
  await expectFailure('RotateKeyOnDemand', { keyId }, ...off)
  await expectFailure('EnableKeyRotation', { keyId }, ...off)
})

test('no call that begins after the acknowledgement succeeds', async () => {
  for (let round = 0; round < 20; round += 1) {
    const { keyId } = await newKey()
    const plaintext = Buffer.from('x')
    let acknowledged = false
    const late: unknown[] = []
    const callers = Array.from({ length: 8 }, async () => {
      for (let i = 0; i < 5; i += 1) {
        const began = acknowledged
        const answer = await call('Encrypt', { keyId, plaintext }).catch(() => undefined)
        if (began && answer) late.push(answer)
      }
    })
    await call('DisableKey', { keyId })
    acknowledged = true
    await Promise.all(callers)
    expect(late).toEqual([])
  }
})

test('is not refused because another call has changed the state meanwhile', async () => {
  const { keyId } = await newKey()
  const switches = Array.from({ length: 20 }, (_, at) => [
    call(at % 2 ? 'EnableKey' : 'DisableKey', { keyId }),
    call('UpdateKeyDescription', { keyId, description: `${at}` }),
  ])
  await Promise.all(switches.flat())
  const deletion = call('ScheduleKeyDeletion', { keyId })
  await Promise.allSettled([call('DisableKey', { keyId }), call('EnableKey', { keyId })])
  expect((await deletion).keyState).toBe('PendingDeletion')
})

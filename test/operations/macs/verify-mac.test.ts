/** VerifyMac. */

import { randomBytes } from 'node:crypto'
import { test } from 'vitest'
import { call, expectFailure, newKey, useService } from '../service.ts'

useService()

test('a MAC of another message, another key or another length is not valid', async () => {
  const { keyId } = await newKey({ keySpec: 'HMAC_384', keyUsage: 'GENERATE_VERIFY_MAC' })
  const { keyId: other } = await newKey({ keySpec: 'HMAC_384', keyUsage: 'GENERATE_VERIFY_MAC' })
  const request = { keyId, message: randomBytes(50), macAlgorithm: 'HMAC_SHA_384' } as const
  const { mac } = await call('GenerateMac', request)
  const wrong = [
    { ...request, mac, message: randomBytes(50) },
    { ...request, mac, keyId: other },
    { ...request, mac: mac.subarray(1) },
    { ...request, mac: mac.subarray(0, 16) },
    { ...request, mac: Buffer.concat([mac, mac]) },
  ]
  for (const one of wrong) await expectFailure('VerifyMac', one, 'KMSInvalidMacException')
})

/** GenerateMac, of every key spec. */

import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { HASH_BYTES, MAC_HASHES } from '../../../src/model/asymmetric/schemes.ts'
import { call, expectFailure, newKey, useService } from '../service.ts'

useService()

const MESSAGE = randomBytes(4096)
const SPECS = ['HMAC_224', 'HMAC_256', 'HMAC_384', 'HMAC_512'] as const

describe.each(SPECS)('%s', (keySpec) => {
  test('makes the same MAC of the same message, and verifies it', async () => {
    const { keyId, arn } = await newKey({ keySpec, keyUsage: 'GENERATE_VERIFY_MAC' })
    const { keyMetadata } = await call('DescribeKey', { keyId })
    const [macAlgorithm] = keyMetadata?.macAlgorithms ?? []
    expect(macAlgorithm).toBe(keySpec.replace('_', '_SHA_'))
    if (macAlgorithm === undefined) return
    const request = { keyId, message: MESSAGE, macAlgorithm }
    const { mac, ...rest } = await call('GenerateMac', request)
    expect(rest).toEqual({ keyId: arn, macAlgorithm })
    expect(mac).toHaveLength(HASH_BYTES[MAC_HASHES[macAlgorithm]])
    expect(await call('GenerateMac', request)).toMatchObject({ mac })
    expect(await call('VerifyMac', { ...request, mac })).toEqual({ ...rest, macValid: true })
    const shorter = await call('GenerateMac', { ...request, message: MESSAGE.subarray(1) })
    expect(shorter.mac).not.toEqual(mac)
  })
})

test('refuses the algorithm of another spec, and keys of another usage', async () => {
  const { keyId } = await newKey({ keySpec: 'HMAC_256', keyUsage: 'GENERATE_VERIFY_MAC' })
  const request = { keyId, message: MESSAGE, macAlgorithm: 'HMAC_SHA_512' } as const
  await expectFailure('GenerateMac', request, 'InvalidKeyUsageException', 'incompatible')
  const { keyId: symmetric } = await newKey()
  const misused = { ...request, keyId: symmetric }
  await expectFailure('GenerateMac', misused, 'InvalidKeyUsageException')
  const dryRun = { ...request, macAlgorithm: 'HMAC_SHA_256', dryRun: true } as const
  await expectFailure('GenerateMac', dryRun, 'DryRunOperationException')
})

/** Verify. */

import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { expect, test } from 'vitest'
import { call, expectFailure, newKey, useService } from '../service.ts'

useService()

const MESSAGE = randomBytes(100)

test('a signature of another message, or another key, is not valid', async () => {
  const { keyId } = await newKey({ keySpec: 'ECC_NIST_P384', keyUsage: 'SIGN_VERIFY' })
  const request = { keyId, message: MESSAGE, signingAlgorithm: 'ECDSA_SHA_384' } as const
  const { signature } = await call('Sign', request)
  const other = generateKeyPairSync('ec', { namedCurve: 'P-384' })
  const wrong = [
    { ...request, signature, message: Buffer.concat([MESSAGE, MESSAGE]) },
    { ...request, signature: sign('sha384', MESSAGE, other.privateKey) },
    { ...request, signature: signature.subarray(1) },
    { ...request, signature: Buffer.concat([signature, Buffer.alloc(1)]) },
    { ...request, signature: Buffer.alloc(6144) },
    { ...request, signature, message: Buffer.alloc(48), messageType: 'DIGEST' },
  ] as const
  for (const one of wrong) await expectFailure('Verify', one, 'KMSInvalidSignatureException')
  expect(await call('Verify', { ...request, signature })).toMatchObject({ signatureValid: true })
})

test('a disabled key verifies nothing, and a key of another usage never does', async () => {
  const { keyId } = await newKey({ keySpec: 'ECC_NIST_P256', keyUsage: 'SIGN_VERIFY' })
  const request = { keyId, message: MESSAGE, signingAlgorithm: 'ECDSA_SHA_256' } as const
  const { signature } = await call('Sign', request)
  await call('DisableKey', { keyId })
  await expectFailure('Verify', { ...request, signature }, 'DisabledException')
  const { keyId: symmetric } = await newKey()
  const misused = { ...request, keyId: symmetric, signature }
  await expectFailure('Verify', misused, 'InvalidKeyUsageException')
})

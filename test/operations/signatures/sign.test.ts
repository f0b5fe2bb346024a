/** Sign, of every key spec and algorithm, verified by the openssl command. */

import { hash, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  KEY_SPECS,
  type KeySpec,
  keySpecRow,
  type SigningAlgorithm,
} from '../../../src/model/key-specs.ts'
import { openssl } from '../../openssl.ts'
import { call, expectFailure, newKey, service, useService } from '../service.ts'

useService()

const SPECS = (Object.keys(KEY_SPECS) as KeySpec[]).filter(
  (spec) =>
    keySpecRow(spec).usages.includes('SIGN_VERIFY') && keySpecRow(spec).refused === undefined,
)
const MESSAGE = randomBytes(300)

/** What openssl is told of an algorithm. */
function optionsOf(algorithm: SigningAlgorithm): string[] {
  if (algorithm === 'ED25519_SHA_512') return []
  const bits = algorithm.slice(-3)
  const digest = ['-pkeyopt', `digest:sha${bits}`]
  if (!algorithm.startsWith('RSASSA_PSS')) return digest
  return [...digest, '-pkeyopt', 'rsa_padding_mode:pss', '-pkeyopt', 'rsa_pss_saltlen:digest']
}

describe.each(SPECS)('%s', (spec) => {
  test('signs messages and digests, and openssl verifies them', { timeout: 60_000 }, async () => {
    const { keyId, arn } = await newKey({ keySpec: spec, keyUsage: 'SIGN_VERIFY' })
    const { publicKey, signingAlgorithms } = await call('GetPublicKey', { keyId })
    expect(signingAlgorithms).toEqual([...keySpecRow(spec).signingAlgorithms])
    for (const signingAlgorithm of signingAlgorithms) {
      const isPlain = signingAlgorithm === 'ED25519_SHA_512'
      const digest = isPlain ? MESSAGE : hash(`sha${signingAlgorithm.slice(-3)}`, MESSAGE, 'buffer')
      const whole = { message: MESSAGE, messageType: 'RAW' } as const
      const inputs = isPlain
        ? [whole]
        : [whole, { message: digest, messageType: 'DIGEST' } as const]
      for (const input of inputs) {
        const answer = await call('Sign', { keyId, signingAlgorithm, ...input })
        expect(answer).toMatchObject({ keyId: arn, signingAlgorithm })
        const files = {
          key: publicKey,
          message: isPlain ? MESSAGE : digest,
          signature: answer.signature,
        }
        const raw = isPlain ? ['-rawin'] : []
        const verify = ['pkeyutl', '-verify', '-pubin', '-inkey', 'key', '-keyform', 'DER', ...raw]
        const said = openssl(
          [...verify, '-in', 'message', '-sigfile', 'signature', ...optionsOf(signingAlgorithm)],
          files,
        )
        expect(said.toString()).toContain('Verified Successfully')
        for (const other of inputs) {
          const { signature } = answer
          const verified = await call('Verify', { keyId, signingAlgorithm, signature, ...other })
          expect(verified).toEqual({ keyId: arn, signatureValid: true, signingAlgorithm })
        }
      }
    }
  })
})

describe('a request', () => {
  test('is refused for a digest of another length', async () => {
    const { keyId } = await newKey({ keySpec: 'ECC_NIST_P256', keyUsage: 'SIGN_VERIFY' })
    const request = { keyId, signingAlgorithm: 'ECDSA_SHA_256' } as const
    await expectFailure(
      'Sign',
      { ...request, message: randomBytes(31), messageType: 'DIGEST' },
      'ValidationException',
      'invalid length',
    )
    await expectFailure(
      'Sign',
      { ...request, message: randomBytes(64), messageType: 'EXTERNAL_MU' },
      'ValidationException',
    )
  })

  test('is refused for an algorithm of another spec', async () => {
    const { keyId } = await newKey({ keySpec: 'ECC_NIST_P256', keyUsage: 'SIGN_VERIFY' })
    await expectFailure(
      'Sign',
      { keyId, message: MESSAGE, signingAlgorithm: 'ECDSA_SHA_384' },
      'InvalidKeyUsageException',
      'incompatible',
    )
  })

  test('is refused for a digest to Ed25519', async () => {
    const { keyId } = await newKey({ keySpec: 'ECC_NIST_EDWARDS25519', keyUsage: 'SIGN_VERIFY' })
    await expectFailure(
      'Sign',
      {
        keyId,
        message: randomBytes(64),
        messageType: 'DIGEST',
        signingAlgorithm: 'ED25519_SHA_512',
      },
      'ValidationException',
    )
    await expectFailure(
      'Sign',
      {
        keyId,
        message: randomBytes(64),
        messageType: 'DIGEST',
        signingAlgorithm: 'ED25519_PH_SHA_512',
      },
      'UnsupportedOperationException',
    )
  })

  test('is refused by a key of another usage, and one that is disabled', async () => {
    const request = { message: MESSAGE, signingAlgorithm: 'ECDSA_SHA_256' } as const
    const { keyId: symmetric } = await newKey()
    await expectFailure('Sign', { ...request, keyId: symmetric }, 'InvalidKeyUsageException')
    const { keyId } = await newKey({ keySpec: 'ECC_NIST_P256', keyUsage: 'SIGN_VERIFY' })
    await expectFailure('Sign', { ...request, keyId, dryRun: true }, 'DryRunOperationException')
    await call('DisableKey', { keyId })
    await expectFailure('Sign', { ...request, keyId }, 'DisabledException')
  })
})

test('keys and their public halves outlive a restart', async () => {
  const { keyId } = await newKey({ keySpec: 'ECC_SECG_P256K1', keyUsage: 'SIGN_VERIFY' })
  const before = await call('GetPublicKey', { keyId })
  await service().restart()
  expect(await call('GetPublicKey', { keyId })).toEqual(before)
  const request = { keyId, message: MESSAGE, signingAlgorithm: 'ECDSA_SHA_256' } as const
  const { signature } = await call('Sign', request)
  expect(await call('Verify', { ...request, signature })).toMatchObject({ signatureValid: true })
})

/** DeriveSharedSecret, against the openssl command. */

import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { openssl } from '../../openssl.ts'
import { call, expectFailure, newKey, useService } from '../service.ts'

useService()

const CURVES = [
  ['ECC_NIST_P256', 'P-256', 32],
  ['ECC_NIST_P384', 'P-384', 48],
  ['ECC_NIST_P521', 'P-521', 66],
] as const
const der = { type: 'spki', format: 'der' } as const

describe.each(CURVES)('%s', (keySpec, namedCurve, length) => {
  test('agrees with openssl', async () => {
    const { keyId, arn } = await newKey({ keySpec, keyUsage: 'KEY_AGREEMENT' })
    const { publicKey: ours, keyAgreementAlgorithms } = await call('GetPublicKey', { keyId })
    expect(keyAgreementAlgorithms).toEqual(['ECDH'])
    const peer = generateKeyPairSync('ec', { namedCurve })
    const { sharedSecret, ...rest } = await call('DeriveSharedSecret', {
      keyId,
      keyAgreementAlgorithm: 'ECDH',
      publicKey: peer.publicKey.export(der),
    })
    expect(rest).toEqual({ keyId: arn, keyAgreementAlgorithm: 'ECDH', keyOrigin: 'AWS_KMS' })
    expect(sharedSecret).toHaveLength(length)
    const files = {
      key: Buffer.from(peer.privateKey.export({ type: 'pkcs8', format: 'pem' })),
      peer: Buffer.from(
        createPublicKey({ key: ours, ...der }).export({ type: 'spki', format: 'pem' }),
      ),
    }
    const derive = ['pkeyutl', '-derive', '-inkey', 'key', '-peerkey', 'peer', '-out', 'out']
    expect(openssl(derive, files, 'out')).toEqual(sharedSecret)
  })
})

test('takes a point that is compressed', async () => {
  const { keyId } = await newKey({ keySpec: 'ECC_NIST_P384', keyUsage: 'KEY_AGREEMENT' })
  const { publicKey: whole } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
  const key = whole.export(der)
  const compressed = openssl(
    [
      ...['pkey', '-pubin', '-inform', 'DER', '-in', 'key', '-outform', 'DER', '-pubout'],
      ...['-ec_conv_form', 'compressed', '-out', 'out'],
    ],
    { key },
    'out',
  )
  expect(compressed.length).toBeLessThan(key.length)
  const agree = (publicKey: Buffer) =>
    call('DeriveSharedSecret', { keyId, keyAgreementAlgorithm: 'ECDH', publicKey })
  expect((await agree(compressed)).sharedSecret).toEqual((await agree(key)).sharedSecret)
})

test('refuses public keys that are none, or of another curve', async () => {
  const { keyId } = await newKey({ keySpec: 'ECC_NIST_P256', keyUsage: 'KEY_AGREEMENT' })
  const right = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export(der)
  const offCurve = Buffer.from(right)
  offCurve[offCurve.length - 1] = (offCurve.at(-1) ?? 0) ^ 1
  const explicit = ['-pkeyopt', 'ec_param_enc:explicit', '-pkeyopt', 'ec_paramgen_curve:P-256']
  const generate = ['genpkey', '-algorithm', 'EC', ...explicit, '-out', 'key']
  const spelledOut = openssl(
    ['pkey', '-in', 'key', '-pubout', '-outform', 'DER', '-out', 'out'],
    { key: openssl(generate, {}, 'key') },
    'out',
  )
  const wrong = [
    offCurve,
    right.subarray(1),
    // The same curve, but not by its name.
    spelledOut,
    // More than the key, and its length in more bytes than it takes.
    Buffer.concat([right, Buffer.alloc(1)]),
    Buffer.concat([Buffer.of(0x30, 0x81), right.subarray(1)]),
    generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export(der),
    generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey.export(der),
    generateKeyPairSync('ed25519').publicKey.export(der),
    Buffer.from('no key'),
  ]
  for (const publicKey of wrong) {
    const request = { keyId, keyAgreementAlgorithm: 'ECDH', publicKey } as const
    await expectFailure('DeriveSharedSecret', request, 'ValidationException', 'P-256')
  }
  const { keyId: signing } = await newKey({ keySpec: 'ECC_NIST_P256', keyUsage: 'SIGN_VERIFY' })
  const misused = { keyId: signing, keyAgreementAlgorithm: 'ECDH', publicKey: right } as const
  await expectFailure('DeriveSharedSecret', misused, 'InvalidKeyUsageException')
})

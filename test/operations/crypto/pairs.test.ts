/** Encrypt, Decrypt and ReEncrypt with RSA keys; the other side is the openssl command. */

import { randomBytes } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { openssl } from '../../openssl.ts'
import { call, expectFailure, newKey, useService } from '../service.ts'

useService()

const ALGORITHMS = [
  ['RSAES_OAEP_SHA_1', 'sha1', 214],
  ['RSAES_OAEP_SHA_256', 'sha256', 190],
] as const
let keyId: string
let arn: string
let publicKey: Buffer

beforeAll(async () => {
  ;({ keyId, arn } = await newKey({ keySpec: 'RSA_2048', keyUsage: 'ENCRYPT_DECRYPT' }))
  ;({ publicKey } = await call('GetPublicKey', { keyId }))
})

function encryptedByOpenssl(message: Buffer, key: Buffer, hash: string): Buffer {
  const oaep = ['-pkeyopt', 'rsa_padding_mode:oaep', '-pkeyopt', `rsa_oaep_md:${hash}`]
  const encrypt = ['pkeyutl', '-encrypt', '-pubin', '-inkey', 'key', '-keyform', 'DER', ...oaep]
  return openssl([...encrypt, '-in', 'message', '-out', 'out'], { key, message }, 'out')
}

describe.each(ALGORITHMS)('%s', (encryptionAlgorithm, hash, most) => {
  test('decrypts what openssl has encrypted to the public key', async () => {
    const plaintext = randomBytes(most)
    const ciphertextBlob = encryptedByOpenssl(plaintext, publicKey, hash)
    expect(await call('Decrypt', { keyId, ciphertextBlob, encryptionAlgorithm })).toEqual({
      keyId: arn,
      plaintext,
      encryptionAlgorithm,
    })
  })

  test('decrypts what it has encrypted, from 1 byte to the most', async () => {
    for (const length of [1, most]) {
      const plaintext = randomBytes(length)
      const { ciphertextBlob, ...rest } = await call('Encrypt', {
        keyId,
        plaintext,
        encryptionAlgorithm,
      })
      expect(rest).toEqual({ keyId: arn, encryptionAlgorithm })
      const opened = await call('Decrypt', { keyId, ciphertextBlob, encryptionAlgorithm })
      expect(opened.plaintext).toEqual(plaintext)
    }
    await expectFailure(
      'Encrypt',
      { keyId, plaintext: randomBytes(most + 1), encryptionAlgorithm },
      'ValidationException',
      `${most} bytes`,
    )
  })

  test('refuses whatever is wrong with a ciphertext in the same words', async () => {
    const { ciphertextBlob } = await call('Encrypt', {
      keyId,
      plaintext: Buffer.from('x'),
      encryptionAlgorithm,
    })
    const flipped = Buffer.from(ciphertextBlob)
    flipped[100] = (flipped[100] ?? 0) ^ 1
    const other =
      encryptionAlgorithm === 'RSAES_OAEP_SHA_1' ? 'RSAES_OAEP_SHA_256' : 'RSAES_OAEP_SHA_1'
    const wrong = [
      { ciphertextBlob: flipped, encryptionAlgorithm },
      { ciphertextBlob: Buffer.alloc(256), encryptionAlgorithm },
      { ciphertextBlob: Buffer.alloc(256, 0xff), encryptionAlgorithm },
      { ciphertextBlob: Buffer.alloc(255, 1), encryptionAlgorithm },
      { ciphertextBlob: Buffer.alloc(512, 1), encryptionAlgorithm },
      { ciphertextBlob, encryptionAlgorithm: other },
    ] as const
    for (const one of wrong) {
      await expectFailure(
        'Decrypt',
        { keyId, ...one },
        'InvalidCiphertextException',
        /^The ciphertext is not valid\.$/,
      )
    }
  })
})

describe.each(['RSA_3072', 'RSA_4096'] as const)('%s', (keySpec) => {
  test('decrypts what openssl has encrypted to the public key', { timeout: 120_000 }, async () => {
    const made = await newKey({ keySpec, keyUsage: 'ENCRYPT_DECRYPT' })
    const half = await call('GetPublicKey', { keyId: made.keyId })
    const modulusBytes = Number(keySpec.slice(-4)) / 8
    for (const [encryptionAlgorithm, hash, most] of ALGORITHMS) {
      const plaintext = randomBytes(modulusBytes - 256 + most)
      const ciphertextBlob = encryptedByOpenssl(plaintext, half.publicKey, hash)
      expect(ciphertextBlob).toHaveLength(modulusBytes)
      const request = { keyId: made.keyId, ciphertextBlob, encryptionAlgorithm }
      expect((await call('Decrypt', request)).plaintext).toEqual(plaintext)
    }
  })
})

test('takes no encryption context, and no algorithm of another key', async () => {
  const plaintext = Buffer.from('x')
  const encryptionAlgorithm = 'RSAES_OAEP_SHA_256'
  await expectFailure(
    'Encrypt',
    { keyId, plaintext, encryptionAlgorithm, encryptionContext: new Map([['a', 'b']]) },
    'ValidationException',
    'EncryptionContext',
  )
  await expectFailure('Encrypt', { keyId, plaintext }, 'InvalidKeyUsageException')
  const { keyId: symmetric } = await newKey()
  const misused = { keyId: symmetric, plaintext, encryptionAlgorithm } as const
  await expectFailure('Encrypt', misused, 'InvalidKeyUsageException')
  await expectFailure('GenerateDataKey', { keyId, keySpec: 'AES_256' }, 'InvalidKeyUsageException')
})

test('moves a ciphertext between every two kinds of keys', async () => {
  const { keyId: symmetric, arn: symmetricArn } = await newKey()
  const { keyId: other } = await newKey({ keySpec: 'RSA_2048', keyUsage: 'ENCRYPT_DECRYPT' })
  const plaintext = randomBytes(64)
  const first = await call('Encrypt', { keyId: symmetric, plaintext })
  const toPair = await call('ReEncrypt', {
    ciphertextBlob: first.ciphertextBlob,
    destinationKeyId: keyId,
    destinationEncryptionAlgorithm: 'RSAES_OAEP_SHA_256',
  })
  expect(toPair).toMatchObject({ sourceKeyId: symmetricArn, keyId: arn })
  const betweenPairs = await call('ReEncrypt', {
    ciphertextBlob: toPair.ciphertextBlob,
    sourceKeyId: keyId,
    sourceEncryptionAlgorithm: 'RSAES_OAEP_SHA_256',
    destinationKeyId: other,
    destinationEncryptionAlgorithm: 'RSAES_OAEP_SHA_1',
  })
  const back = await call('ReEncrypt', {
    ciphertextBlob: betweenPairs.ciphertextBlob,
    sourceKeyId: other,
    sourceEncryptionAlgorithm: 'RSAES_OAEP_SHA_1',
    destinationKeyId: symmetric,
  })
  expect((await call('Decrypt', { ciphertextBlob: back.ciphertextBlob })).plaintext).toEqual(
    plaintext,
  )
})

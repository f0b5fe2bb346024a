/** Decrypt. */

import { expect, test } from 'vitest'
import { call, expectFailure, newKey, service, useService } from '../service.ts'

useService()

const plaintext = Buffer.from('attack at dawn')

test('needs no key, since the ciphertext names it', async () => {
  const { keyId, arn } = await newKey()
  const { ciphertextBlob } = await call('Encrypt', { keyId, plaintext })
  const { keyMetadata } = await call('DescribeKey', { keyId })
  expect(await call('Decrypt', { ciphertextBlob })).toEqual({
    keyId: arn,
    plaintext,
    encryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    keyMaterialId: keyMetadata?.currentKeyMaterialId,
  })
})

test('takes the right key by any name, and no other', async () => {
  const { keyId, arn } = await newKey()
  const other = await newKey()
  await call('CreateAlias', { aliasName: 'alias/right', targetKeyId: keyId })
  const { ciphertextBlob } = await call('Encrypt', { keyId, plaintext })
  for (const name of [keyId, arn, 'alias/right']) {
    expect((await call('Decrypt', { ciphertextBlob, keyId: name })).plaintext).toEqual(plaintext)
  }
  const wrong = { ciphertextBlob, keyId: other.keyId }
  await expectFailure('Decrypt', wrong, 'IncorrectKeyException')
})

test('needs the same encryption context, in any order', async () => {
  const { keyId } = await newKey()
  const encryptionContext = new Map([
    ['a', '1'],
    ['__proto__', '2'],
    ['é', '3'],
  ])
  const { ciphertextBlob } = await call('Encrypt', { keyId, plaintext, encryptionContext })
  const reversed = new Map([...encryptionContext].reverse())
  const answer = await call('Decrypt', { ciphertextBlob, encryptionContext: reversed })
  expect(answer.plaintext).toEqual(plaintext)
  const others = [
    new Map(),
    new Map([...encryptionContext].slice(1)),
    new Map([...encryptionContext, ['b', '4']]),
    new Map([...encryptionContext, ['a', '2']]),
    new Map([...encryptionContext, ['A', '1']]),
    new Map([...encryptionContext].filter(([key]) => key !== '__proto__')),
    new Map([...encryptionContext].map(([key, value]) => [key.normalize('NFD'), value])),
  ]
  for (const other of others) {
    const request = { ciphertextBlob, encryptionContext: other }
    await expectFailure('Decrypt', request, 'InvalidCiphertextException')
  }
})

test('refuses every changed byte and every truncation, always in the same words', async () => {
  const { keyId } = await newKey()
  const { ciphertextBlob } = await call('Encrypt', { keyId, plaintext: Buffer.of(42) })
  const answers = new Set<string>()
  const changed = [...ciphertextBlob.keys()].map((at) => {
    const copy = Buffer.from(ciphertextBlob)
    copy[at] = (copy[at] ?? 0) ^ (1 << (at % 8))
    return { copy, namesKey: at >= 5 && at < 21 }
  })
  const cut = [1, 5, 20, 40, 60, ciphertextBlob.length - 1].map((length) => ({
    copy: ciphertextBlob.subarray(0, length),
    namesKey: false,
  }))
  for (const { copy, namesKey } of [...changed, ...cut]) {
    const error = await call('Decrypt', { ciphertextBlob: copy }).catch((e: Error) => e)
    // A changed key id names a key that is not there, which AWS answers as a refusal.
    if (namesKey) expect(error).toMatchObject({ name: 'AccessDeniedException' })
    else answers.add(`${(error as Error).name}: ${(error as Error).message}`)
  }
  expect([...answers]).toEqual(['InvalidCiphertextException: The ciphertext is not valid.'])
  // And the service is as well as before.
  expect((await call('Decrypt', { ciphertextBlob })).plaintext).toEqual(Buffer.of(42))
})

test('refuses to open a ciphertext under another backing key', async () => {
  const [one, two] = [await newKey(), await newKey()]
  const { ciphertextBlob: a } = await call('Encrypt', { keyId: one.keyId, plaintext })
  const { ciphertextBlob: b } = await call('Encrypt', { keyId: two.keyId, plaintext })
  // The other key's ids before this key's ciphertext.
  const spliced = Buffer.concat([b.subarray(0, 37), a.subarray(37)])
  await expectFailure('Decrypt', { ciphertextBlob: spliced }, 'InvalidCiphertextException')
})

test('another account learns nothing from a ciphertext', async () => {
  const { keyId, arn } = await newKey()
  const { ciphertextBlob } = await call('Encrypt', { keyId, plaintext })
  const stranger = service().clientOf('121212121212')
  for (const request of [{ ciphertextBlob }, { ciphertextBlob, keyId: arn }]) {
    const failure = { name: 'AccessDeniedException' }
    await expect(stranger.call('Decrypt', request)).rejects.toMatchObject(failure)
  }
})

test('takes the bare id of a key of another account, by whom its policy allows', async () => {
  const other = '121212121212'
  const part = { Effect: 'Allow', Action: 'kms:*', Resource: '*' }
  const Principal = { AWS: ['111122223333', other] }
  const policy = JSON.stringify({ Statement: [{ ...part, Principal }] })
  const { keyMetadata } = await call('CreateKey', { policy })
  const { keyId = '', arn } = keyMetadata ?? {}
  const { ciphertextBlob } = await call('Encrypt', { keyId, plaintext })
  const abroad = service().clientOf(other)
  expect(await abroad.call('Decrypt', { ciphertextBlob, keyId })).toMatchObject({
    keyId: arn,
    plaintext,
  })
  const { keyMetadata: mine } = await abroad.call('CreateKey', {})
  const request = { ciphertextBlob, sourceKeyId: keyId, destinationKeyId: mine?.keyId ?? '' }
  expect((await abroad.call('ReEncrypt', request)).keyId).toBe(mine?.arn)
  const missing = abroad.call('Decrypt', { ciphertextBlob: Buffer.alloc(200), keyId })
  await expect(missing).rejects.toMatchObject({ name: 'NotFoundException' })
})

test('refuses requests that AWS refuses', async () => {
  const { keyId } = await newKey()
  const { ciphertextBlob } = await call('Encrypt', { keyId, plaintext })
  await expectFailure('Decrypt', {}, 'ValidationException')
  await expectFailure('Decrypt', { ciphertextBlob: Buffer.alloc(6145) }, 'ValidationException')
  await expectFailure(
    'Decrypt',
    { ciphertextBlob: Buffer.alloc(6144) },
    'InvalidCiphertextException',
  )
  const recipient = { attestationDocument: Buffer.of(1) }
  await expectFailure('Decrypt', { ciphertextBlob, recipient }, 'UnsupportedOperationException')
  const encryptionAlgorithm = 'RSAES_OAEP_SHA_1' as const
  const rsa = { ciphertextBlob, encryptionAlgorithm }
  await expectFailure('Decrypt', rsa, 'InvalidKeyUsageException')
})

test('a dry run may leave the ciphertext out, if the key is named', async () => {
  const { keyId } = await newKey()
  const { ciphertextBlob } = await call('Encrypt', { keyId, plaintext })
  await expectFailure('Decrypt', { ciphertextBlob, dryRun: true }, 'DryRunOperationException')
  const ignoring = { dryRun: true, dryRunModifiers: ['IGNORE_CIPHERTEXT' as const] }
  await expectFailure('Decrypt', { keyId, ...ignoring }, 'DryRunOperationException')
  await expectFailure('Decrypt', ignoring, 'ValidationException')
  await expectFailure('Decrypt', { keyId, ...ignoring, dryRun: false }, 'ValidationException')
})

test('a dry run fails where the request would, as far as that shows without the token', async () => {
  const [one, other] = [await newKey(), await newKey()]
  const { ciphertextBlob } = await call('Encrypt', { keyId: one.keyId, plaintext })
  const { keyId } = other
  const request = { ciphertextBlob, dryRun: true }
  await expectFailure('Decrypt', { ...request, keyId }, 'IncorrectKeyException')
  const broken = { ...request, keyId, ciphertextBlob: Buffer.from('no ciphertext') }
  await expectFailure('Decrypt', broken, 'InvalidCiphertextException')
  // Its own key, a backing key of another.
  const spliced = Buffer.from(ciphertextBlob).fill(7, 21, 37)
  const foreign = { ...request, ciphertextBlob: spliced }
  await expectFailure('Decrypt', foreign, 'InvalidCiphertextException')
  const encryptionAlgorithm = 'RSAES_OAEP_SHA_1' as const
  await expectFailure('Decrypt', { ...request, encryptionAlgorithm }, 'InvalidKeyUsageException')
  const encryptionContext = new Map([['long', 'x'.repeat(8192)]])
  await expectFailure('Decrypt', { ...request, encryptionContext }, 'ValidationException')
  const ignoring = { ...broken, dryRunModifiers: ['IGNORE_CIPHERTEXT' as const] }
  await expectFailure('Decrypt', ignoring, 'DryRunOperationException')
})

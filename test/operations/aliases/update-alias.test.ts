/** UpdateAlias. */

import { expect, test } from 'vitest'
import { call, expectFailure, MISSING, newKey, useService } from '../service.ts'

useService()

test('moves an alias, and old ciphertexts still decrypt', async () => {
  const [old, next] = [await newKey(), await newKey()]
  const aliasName = 'alias/moved'
  await call('CreateAlias', { aliasName, targetKeyId: old.keyId })
  const plaintext = Buffer.from('before')
  const { ciphertextBlob } = await call('Encrypt', { keyId: aliasName, plaintext })
  await call('UpdateAlias', { aliasName, targetKeyId: next.keyId })
  expect((await call('Encrypt', { keyId: aliasName, plaintext })).keyId).toBe(next.arn)
  expect((await call('Decrypt', { ciphertextBlob })).plaintext).toEqual(plaintext)
  // Now the alias names another key than the ciphertext does.
  await expectFailure('Decrypt', { ciphertextBlob, keyId: aliasName }, 'IncorrectKeyException')
})

test('moves away from a key that is pending deletion, never to one', async () => {
  const [old, next] = [await newKey(), await newKey()]
  const aliasName = 'alias/away'
  await call('CreateAlias', { aliasName, targetKeyId: old.keyId })
  await call('ScheduleKeyDeletion', { keyId: old.keyId })
  await call('UpdateAlias', { aliasName, targetKeyId: next.keyId })
  const back = { aliasName, targetKeyId: old.keyId }
  await expectFailure('UpdateAlias', back, 'KMSInvalidStateException')
})

test('moves between keys of one type and usage, whatever their specs, and no others', async () => {
  const sign = { keyUsage: 'SIGN_VERIFY' } as const
  const agree = { keySpec: 'ECC_NIST_P256', keyUsage: 'KEY_AGREEMENT' } as const
  const mac = (keySpec: 'HMAC_256' | 'HMAC_512') =>
    newKey({ keySpec, keyUsage: 'GENERATE_VERIFY_MAC' })
  const nist = await newKey({ keySpec: 'ECC_NIST_P256', ...sign })
  const edwards = await newKey({ keySpec: 'ECC_NIST_EDWARDS25519', ...sign })
  const [short, long] = [await mac('HMAC_256'), await mac('HMAC_512')]
  await call('CreateAlias', { aliasName: 'alias/signs', targetKeyId: nist.keyId })
  await call('UpdateAlias', { aliasName: 'alias/signs', targetKeyId: edwards.keyId })
  await call('CreateAlias', { aliasName: 'alias/macs', targetKeyId: short.keyId })
  await call('UpdateAlias', { aliasName: 'alias/macs', targetKeyId: long.keyId })
  for (const { keyId: targetKeyId } of [await newKey(), await newKey(agree), short]) {
    const move = { aliasName: 'alias/signs', targetKeyId }
    await expectFailure('UpdateAlias', move, 'ValidationException', 'not of the same type')
  }
})

test('refuses what is not there', async () => {
  const { keyId } = await newKey()
  const none = { aliasName: 'alias/none', targetKeyId: keyId }
  await expectFailure('UpdateAlias', none, 'NotFoundException', 'alias/none is not found')
  await call('CreateAlias', { aliasName: 'alias/there', targetKeyId: keyId })
  const gone = { aliasName: 'alias/there', targetKeyId: MISSING }
  await expectFailure('UpdateAlias', gone, 'NotFoundException')
  const reserved = { aliasName: 'alias/aws/s3', targetKeyId: keyId }
  await expectFailure('UpdateAlias', reserved, 'InvalidAliasNameException')
})

test('each use during a move is under one of the two keys', async () => {
  const [one, two] = [await newKey(), await newKey()]
  const aliasName = 'alias/racing'
  await call('CreateAlias', { aliasName, targetKeyId: one.keyId })
  const used = new Set<string>()
  const callers = Array.from({ length: 4 }, async () => {
    for (let i = 0; i < 25; i += 1) {
      const plaintext = Buffer.from('x')
      const { keyId, ciphertextBlob } = await call('Encrypt', { keyId: aliasName, plaintext })
      used.add(keyId)
      // The ARN that was answered is the key that was used.
      await call('Decrypt', { keyId, ciphertextBlob })
    }
  })
  for (let i = 0; i < 20; i += 1) {
    await call('UpdateAlias', { aliasName, targetKeyId: i % 2 ? one.keyId : two.keyId })
  }
  await Promise.all(callers)
  expect([...used].every((arn) => arn === one.arn || arn === two.arn)).toBe(true)
})

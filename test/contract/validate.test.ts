/** Requests held against the rules of the contract, in AWS's words. */

import { expect, test } from 'vitest'
import { CONTRACT } from '../../src/contract/contract.ts'
import { validated } from '../../src/contract/validate.ts'
import { decodeMessage, encodeMessage, type PlainMessage } from '../../src/contract/wire.ts'
import type { RpcName } from '../../src/service.ts'

/** As a door would have it: decoded from the wire. */
function check(name: RpcName, plain: PlainMessage): PlainMessage {
  const { request } = CONTRACT[name]
  return validated(request, decodeMessage(request, encodeMessage(request, plain)))
}

test('names all that is wrong at once', () => {
  expect(() => check('Encrypt', {})).toThrow(
    '2 validation errors detected: ' +
      "Value null at 'keyId' failed to satisfy constraint: Member must not be null; " +
      "Value null at 'plaintext' failed to satisfy constraint: Member must not be null",
  )
})

test.each<[RpcName, PlainMessage, string]>([
  [
    'ListKeys',
    { limit: 0 },
    "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: " +
      'Member must have value greater than or equal to 1',
  ],
  ['ListKeys', { marker: '\u0001' }, 'Member must satisfy regular expression pattern'],
  [
    'CreateAlias',
    { aliasName: 'alias/a b', targetKeyId: 'k' },
    "Value 'alias/a b' at 'aliasName' failed to satisfy constraint: Member must satisfy regular",
  ],
  [
    'Encrypt',
    { keyId: 'k', plaintext: Buffer.alloc(4097, 'secret') },
    "Value at 'plaintext' failed to satisfy constraint: Member must have length less than or " +
      'equal to 4096',
  ],
  [
    'TagResource',
    { keyId: 'k', tags: [{ tagKey: 'a'.repeat(129), tagValue: '' }] },
    "at 'tags.1.member.tagKey' failed to satisfy constraint: Member must have length less than " +
      'or equal to 128',
  ],
  ['UntagResource', { keyId: 'k', tagKeys: ['a'.repeat(129)] }, 'Member must satisfy constraint'],
])('%s %j', (name, request, words) => {
  expect(() => check(name, request)).toThrow(words)
})

test('names a few of the many things that a request can have wrong', () => {
  const tags = Array.from({ length: 49 }, () => ({ tagKey: '', tagValue: '' }))
  const refusal = (): string => {
    try {
      check('TagResource', { keyId: 'k', tags })
      return ''
    } catch (error) {
      return (error as Error).message
    }
  }
  expect(refusal()).toMatch(/^20 validation errors detected: /)
  tags.push(...Array.from({ length: 3000 }, () => ({ tagKey: '', tagValue: '' })))
  expect(refusal().length).toBeLessThan(4096)
})

test('an enum value that there is not is named with those that there are', () => {
  const { request } = CONTRACT.Encrypt
  const unknown = { keyId: 'k', plaintext: Buffer.of(1), encryptionAlgorithm: '99' }
  expect(() => validated(request, unknown)).toThrow(
    "Value '99' at 'encryptionAlgorithm' failed to satisfy constraint: " +
      'Member must satisfy enum value set: [SYMMETRIC_DEFAULT, RSAES_OAEP_SHA_1',
  )
})

test('fills in the defaults, and only those', () => {
  const request = check('Encrypt', { keyId: 'k', plaintext: Buffer.of(1) })
  expect(request.encryptionAlgorithm).toBe('SYMMETRIC_DEFAULT')
  expect(check('ScheduleKeyDeletion', { keyId: 'k' }).pendingWindowInDays).toBe(30)
  expect(check('GenerateDataKey', { keyId: 'k' }).keySpec).toBeUndefined()
})

test('shows only the beginning of a long value', () => {
  const shown = () => check('DescribeKey', { keyId: 'k'.repeat(5000) })
  expect(shown).toThrow(/Value 'k{128}…' at 'keyId'/)
})

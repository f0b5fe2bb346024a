/** What AWS's JSON tells apart and protobuf does not: a member that is empty, and one that is not there. */

import { expect, test } from 'vitest'
import { CONTRACT } from '../../../src/contract/contract.ts'
import { validated } from '../../../src/contract/validate.ts'
import { decodeRequest } from '../../../src/doors/aws/codec.ts'
import type { RpcName } from '../../../src/service.ts'

function check(name: RpcName, request: object): unknown {
  const decoded = decodeRequest(name, Buffer.from(JSON.stringify(request)))
  return validated(CONTRACT[name].request, decoded as never)
}

const tooShort = 'Member must have length greater than or equal to 1'

test.each<[RpcName, object, string]>([
  [
    'Encrypt',
    { KeyId: 'k', Plaintext: '' },
    `Value at 'plaintext' failed to satisfy constraint: ${tooShort}`,
  ],
  ['Encrypt', { KeyId: 'k' }, "Value null at 'plaintext'"],
  ['DescribeKey', { KeyId: '' }, `Value '' at 'keyId' failed to satisfy constraint: ${tooShort}`],
  ['DescribeKey', {}, "Value null at 'keyId'"],
  [
    'Decrypt',
    { CiphertextBlob: '' },
    `Value at 'ciphertextBlob' failed to satisfy constraint: ${tooShort}`,
  ],
  ['CreateKey', { Policy: '' }, `Value '' at 'policy' failed to satisfy constraint: ${tooShort}`],
  [
    'CreateKey',
    { KeySpec: '' },
    "Value '' at 'keySpec' failed to satisfy constraint: Member must satisfy enum",
  ],
  ['UpdateKeyDescription', { KeyId: 'k' }, "Value null at 'description'"],
  [
    'TagResource',
    { KeyId: 'k', Tags: [{ TagKey: '', TagValue: '' }] },
    `Value '' at 'tags.1.member.tagKey' failed to satisfy constraint: ${tooShort}`,
  ],
])('%s %j', (name, request, words) => {
  expect(() => check(name, request)).toThrow(`1 validation error detected: ${words}`)
})

test('an empty value is a value', () => {
  expect(check('UpdateKeyDescription', { KeyId: 'k', Description: '' })).toMatchObject({
    description: '',
  })
  expect(check('CreateKey', { Description: '', Tags: [] })).toMatchObject({ description: '' })
})

/** Encryption contexts that are too long, of callers who may do nothing. */

import { expect, test } from 'vitest'
import { CONTRACT } from '../../src/contract/contract.ts'
import { CONTEXT_BYTES_MAX } from '../../src/model/encryption-context.ts'
import type { RpcName, Service } from '../../src/service.ts'
import {
  ACCOUNT,
  callAs,
  expectDenied,
  here,
  newKey,
  newUser,
  OTHER_ACCOUNT,
  REGION,
  useInstallation,
} from '../operations/installation.ts'

useInstallation()

const plaintext = Buffer.from('x')
const ciphertextBlob = Buffer.alloc(100)
const missing = (account: string) =>
  `arn:aws:kms:${REGION}:${account}:key/00000000-0000-4000-8000-000000000000`
const arn = missing(ACCOUNT)
/** More bytes than there may be, in many pairs and in one. */
const LONG = [
  new Map(Array.from({ length: 5000 }, (_, at) => [`${at}`, ''])),
  new Map([['k', 'v'.repeat(CONTEXT_BYTES_MAX)]]),
]

/** What each operation has beside its encryption contexts. */
const REQUESTS: { readonly [N in RpcName]?: Partial<Service[N]['request']> } = {
  Encrypt: { keyId: arn, plaintext },
  Decrypt: { keyId: arn, ciphertextBlob },
  ReEncrypt: { sourceKeyId: arn, ciphertextBlob, destinationKeyId: arn },
  GenerateDataKey: { keyId: arn, numberOfBytes: 16 },
  GenerateDataKeyWithoutPlaintext: { keyId: arn, numberOfBytes: 16 },
  GenerateDataKeyPair: { keyId: arn, keyPairSpec: 'ECC_NIST_P256' },
  GenerateDataKeyPairWithoutPlaintext: { keyId: arn, keyPairSpec: 'ECC_NIST_P256' },
  SimulatePolicy: { principalArn: `arn:aws:iam::${ACCOUNT}:user/x`, action: 'kms:Encrypt' },
}

const contexts = Object.values(CONTRACT).flatMap(({ name, request }) =>
  request.fields
    .filter((field) => field.holds.kind === 'map' && /context/i.test(field.name))
    .map((field) => [name, field.name] as const),
)

test('every encryption context there is, is tried', () => {
  expect(new Set(contexts.map(([name]) => name))).toEqual(new Set(Object.keys(REQUESTS)))
  expect(contexts).toHaveLength(9)
})

test.each(contexts)(
  '%s refuses a %s that is too long before anything is decided',
  async (...of) => {
    const [name, field] = of
    const caller = await newUser(`${name}-${field}`)
    for (const context of LONG) {
      const request = { ...REQUESTS[name], [field]: context }
      await expect(callAs(caller, name, request)).rejects.toMatchObject({
        name: 'ValidationException',
        message: 'The encryption context is longer than 8192 bytes.',
      })
      expect(here().audit.at(-1)).toMatchObject({ eventName: name, authorisation: [] })
    }
    await expect(callAs(caller, name, REQUESTS[name])).rejects.not.toMatchObject({
      message: expect.stringContaining('longer'),
    })
  },
)

test('the longest there may be is decided as any other', async () => {
  const caller = await newUser('patient')
  const { arn: keyArn } = await newKey()
  const longest = new Map([['k', 'v'.repeat(CONTEXT_BYTES_MAX - 7)]])
  for (const keyId of [keyArn, arn, missing(OTHER_ACCOUNT)]) {
    await expectDenied(caller, 'Encrypt', { keyId, plaintext, encryptionContext: longest })
  }
})

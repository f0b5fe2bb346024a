/** The contract as read from the proto files. */

import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import {
  CONTRACT,
  type EnumContract,
  type FieldContract,
  type MessageContract,
} from '../../src/contract/contract.ts'

const ROOT = resolve(import.meta.dirname, '../..')

const messages = new Map<string, MessageContract>()
function collect(message: MessageContract): void {
  if (messages.has(message.name)) return
  messages.set(message.name, message)
  for (const { holds } of message.fields) if (holds.kind === 'message') collect(holds.message)
}
for (const { request, response } of Object.values(CONTRACT)) {
  collect(request)
  collect(response)
}
const fields: [string, FieldContract][] = [...messages.values()].flatMap((message) =>
  message.fields.map((field): [string, FieldContract] => [`${message.name}.${field.name}`, field]),
)
const enums = new Map<string, EnumContract>()
for (const [, { holds }] of fields)
  if (holds.kind === 'enum') enums.set(holds.enum.name, holds.enum)

test('every field has words for people', () => {
  expect(fields.filter(([, { doc }]) => doc.trim() === '').map(([name]) => name)).toEqual([])
})

test('whatever holds a secret is marked, and so never logged', () => {
  const secret = fields.filter(([, field]) => field.secret).map(([name]) => name)
  const holding = fields
    .map(([name]) => name)
    .filter((name) =>
      /plaintext$|grantTokens$|secretAccessKey$|sessionToken$|(?<!From)webIdentityToken$/i.test(
        name,
      ),
    )
  expect(holding.length).toBeGreaterThan(8)
  expect(holding.filter((name) => !secret.includes(name))).toEqual([])
})

test('the types know the prefix of every enum', () => {
  const source = readFileSync(join(ROOT, 'src/service.ts'), 'utf8')
  const known = [...source.matchAll(/[|=] '([A-Z_]+_)'/g)].map(([, prefix]) => prefix)
  const wanted = [...enums.values()].map(({ prefix }) => prefix)
  expect(wanted.filter((prefix) => !known.includes(prefix))).toEqual([])
  expect(known.filter((prefix) => !wanted.includes(prefix ?? ''))).toEqual([])
})

test('enum values have the names that AWS gives them', () => {
  expect(enums.get('KeyState')?.names).toContain('PendingReplicaDeletion')
  expect(enums.get('KeySpec')?.names).toContain('ECC_NIST_EDWARDS25519')
  expect(enums.get('DataKeySpec')?.names).toEqual(['AES_256', 'AES_128'])
})

test('members have the names that AWS gives them', () => {
  const metadata = messages.get('KeyMetadata')?.fields.map(({ awsName }) => awsName)
  expect(metadata).toContain('AWSAccountId')
  expect(metadata).toContain('CloudHsmClusterId')
  expect(messages.get('EncryptRequest')?.fields[0]).toMatchObject({
    awsName: 'KeyId',
    rule: { required: true, min: 1, max: 2048 },
  })
})

/** Reflection, asked by another implementation of gRPC: `buf curl`, from nothing but an address. */

import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import protobuf from 'protobufjs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CONTRACT } from '../../src/contract/contract.ts'
import { filesInSet, indexDescriptors } from '../../src/doors/grpc/reflection/descriptors.ts'
import { fail } from '../../src/model/failures.ts'
import { type TriedDoor, tryDoor } from './door.ts'

const run = promisify(execFile)
const BUF = new URL('../../node_modules/.bin/buf', import.meta.url).pathname
const DESCRIPTOR_SET = new URL('../../src/gen/descriptors.binpb', import.meta.url)
const VERSIONS = ['v1', 'v1alpha'] as const

let tried: TriedDoor

beforeAll(async () => {
  tried = await tryDoor(async (name, call) => {
    if (name === 'Decrypt') fail('InvalidCiphertextException', 'It is not authentic.')
    const { keyId, encryptionContext } = call.request() as {
      keyId: string
      encryptionContext: ReadonlyMap<string, string>
    }
    return { keyId, ciphertextBlob: Buffer.from([...encryptionContext].join(';')) }
  })
})
afterAll(() => tried[Symbol.asyncDispose]())

async function curl(version: (typeof VERSIONS)[number], ...args: string[]): Promise<string> {
  const { ca, root } = tried.authority
  const tls = ['--cacert', ca, '--cert', root.certificate, '--key', root.privateKey]
  const reflect = ['--protocol', 'grpc', '--reflect', '--reflect-protocol', `grpc-${version}`]
  const { stdout } = await run(BUF, ['curl', ...tls, ...reflect, ...args])
  return stdout
}

const url = (path = '') => `https://${tried.door.address}${path}`

test.each(VERSIONS)('%s lists every service with every method', async (version) => {
  const methods = (await curl(version, '--list-methods', url())).trim().split('\n')
  const ours = Object.values(CONTRACT).map(({ name, service }) => `${service}/${name}`)
  expect(methods.toSorted()).toEqual(
    [
      ...ours,
      ...['Check', 'List', 'Watch'].map((name) => `grpc.health.v1.Health/${name}`),
      ...VERSIONS.map((each) => `grpc.reflection.${each}.ServerReflection/ServerReflectionInfo`),
    ].toSorted(),
  )
})

test.each(VERSIONS)('%s is enough to call by', async (version) => {
  const data = JSON.stringify({
    keyId: 'alias/a',
    plaintext: 'AA==',
    encryptionContext: { a: 'b' },
  })
  const answer = await curl(version, '-d', data, url(`/${CONTRACT.Encrypt.service}/Encrypt`))
  expect(JSON.parse(answer)).toEqual({
    keyId: 'alias/a',
    ciphertextBlob: Buffer.from('a,b').toString('base64'),
  })
  const refused = curl(version, '-d', '{}', url(`/${CONTRACT.Decrypt.service}/Decrypt`))
  const stderr = await refused.catch((error: { stderr: string }) => error.stderr)
  expect(JSON.parse(stderr)).toMatchObject({
    code: 'invalid_argument',
    message: 'It is not authentic.',
    details: [{ type: 'google.rpc.ErrorInfo' }],
  })
})

/** Asks by the protocol itself; answers one response for each question. */
async function ask(...questions: object[]): Promise<Record<string, unknown>[]> {
  const data = questions.map((each) => JSON.stringify(each)).join('\n')
  const path = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo'
  const text = await curl('v1', '-d', data, url(path))
  return JSON.parse(`[${text.replaceAll(/^\}\n?(?=\{)/gm, '},')}]`)
}

test('files come byte for byte as they were compiled, by name, symbol and extension', async () => {
  const files = filesInSet(readFileSync(DESCRIPTOR_SET))
  const asked = await ask(
    { fileByFilename: 'keyslot/v1/crypto.proto' },
    { fileContainingSymbol: 'keyslot.v1.EncryptRequest' },
    { fileContainingSymbol: 'keyslot.v1.EncryptRequest.encryption_context' },
    { fileContainingSymbol: 'keyslot.v1.EncryptRequest.EncryptionContextEntry.key' },
    { fileContainingSymbol: 'keyslot.v1.DATA_KEY_SPEC_AES_256' },
    { fileContainingSymbol: 'keyslot.v1.KeyManagementService.Encrypt' },
    { fileContainingSymbol: 'keyslot.v1.rule' },
    {
      fileContainingExtension: {
        containingType: 'google.protobuf.FieldOptions',
        extensionNumber: 50470,
      },
    },
  )
  const names = asked.map((each) => {
    const { fileDescriptorProto } = each.fileDescriptorResponse as { fileDescriptorProto: string[] }
    const bytes = Buffer.from(fileDescriptorProto[0] ?? '', 'base64')
    expect(files.some((file) => file.equals(bytes))).toBe(true)
    const reader = protobuf.Reader.create(bytes)
    reader.uint32()
    return reader.string()
  })
  expect(names).toEqual([
    'keyslot/v1/crypto.proto',
    ...Array(3).fill('keyslot/v1/kms.proto'),
    'keyslot/v1/crypto.proto',
    'keyslot/v1/kms.proto',
    'keyslot/v1/options.proto',
    'keyslot/v1/options.proto',
  ])
  expect(asked[0]?.originalRequest).toEqual({ fileByFilename: 'keyslot/v1/crypto.proto' })
})

test('what does not exist is said to be not found, and the stream goes on', async () => {
  const containingType = 'google.protobuf.FieldOptions'
  const answers = await ask(
    { fileByFilename: 'nothing.proto' },
    { fileContainingSymbol: 'keyslot.v1.Nothing' },
    { fileContainingSymbol: '__proto__' },
    { fileContainingExtension: { containingType, extensionNumber: 1 } },
    { allExtensionNumbersOfType: 'keyslot.v1.Nothing' },
    { host: 'asks nothing' },
    { allExtensionNumbersOfType: containingType },
    { allExtensionNumbersOfType: 'keyslot.v1.EncryptRequest' },
  )
  const codes = answers.map((each) => (each.errorResponse as { errorCode: number })?.errorCode)
  expect(codes).toEqual([5, 5, 5, 5, 5, 3, undefined, undefined])
  expect(answers[5]).toMatchObject({ validHost: 'asks nothing' })
  expect(answers[6]?.allExtensionNumbersResponse).toEqual({
    baseTypeName: containingType,
    extensionNumber: [50470],
  })
  expect(answers[7]?.allExtensionNumbersResponse).toEqual({
    baseTypeName: 'keyslot.v1.EncryptRequest',
  })
})

test('every file that another needs is there', () => {
  const files = filesInSet(readFileSync(DESCRIPTOR_SET))
  const descriptors = indexDescriptors(files)
  for (const bytes of files) {
    const reader = protobuf.Reader.create(bytes)
    while (reader.pos < reader.len) {
      const tag = reader.uint32()
      if (tag >>> 3 === 3) expect(descriptors.file(reader.string())).toBeDefined()
      else reader.skipType(tag & 7)
    }
  }
})

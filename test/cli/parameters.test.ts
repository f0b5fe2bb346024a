/** Words of the command line as requests. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { CliError } from '../../src/cli/exit.ts'
import { toAws } from '../../src/cli/rpc/output.ts'
import { kebabCase, requestFrom, wipe } from '../../src/cli/rpc/parameters.ts'
import { parseShorthand } from '../../src/cli/rpc/shorthand.ts'
import { CONTRACT, type MessageContract } from '../../src/contract/contract.ts'
import type { RpcName } from '../../src/service.ts'
import { messages } from './contract-values.ts'

const directory = mkdtempSync(join(tmpdir(), 'keyslot-parameters-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function file(name: string, content: string | Buffer): string {
  const path = join(directory, name)
  writeFileSync(path, content)
  return path
}

type Words = Readonly<Record<string, string | readonly string[] | boolean>>

function request(rpc: RpcName, words: Words, more: { json?: string; raw?: boolean } = {}) {
  return requestFrom(CONTRACT[rpc].request, {
    options: new Map(Object.entries(words)),
    json: more.json,
    blobFormat: more.raw ? 'raw-in-base64-out' : 'base64',
  })
}

describe('names', () => {
  test.each([
    ['CreateKey', 'create-key'],
    ['GenerateDataKeyWithoutPlaintext', 'generate-data-key-without-plaintext'],
    ['KeyId', 'key-id'],
    ['AWSAccountId', 'aws-account-id'],
    ['GatewayARNs', 'gateway-arns'],
    ['XksProxyUriPath', 'xks-proxy-uri-path'],
  ])('%s is %s, as botocore has it', (name, kebab) => {
    expect(kebabCase(name)).toBe(kebab)
  })
})

describe('shorthand', () => {
  const plain = (text: string) => Object.fromEntries(parseShorthand(text))

  test.each([
    ['a=b', { a: 'b' }],
    ['a=b,c=d', { a: 'b', c: 'd' }],
    ['a = b , c = d ', { a: 'b', c: 'd' }],
    ['a=', { a: '' }],
    ['a=b=c', { a: 'b=c' }],
    ['a=b c,d=e', { a: 'b c', d: 'e' }],
    ['a=b,c,d=e', { a: ['b', 'c'], d: 'e' }],
    ['a=b\\,c,d=e', { a: 'b,c', d: 'e' }],
    [`a='b,c=d',e="it's"`, { a: 'b,c=d', e: "it's" }],
    [`a='it\\'s'`, { a: "it's" }],
    ['a=[b,c],d=e', { a: ['b', 'c'], d: 'e' }],
    ['a={b=c,d=e}', { a: new Map(Object.entries({ b: 'c', d: 'e' })) }],
    ['app.kubernetes.io/name=x', { 'app.kubernetes.io/name': 'x' }],
  ])('%s', (text, parsed) => {
    expect(plain(text)).toEqual(parsed)
  })

  test.each(['', 'a', '=b', 'a=b,', 'a=b,,c=d', "a='b", 'a=[b', 'a={b=c', 'a=b"c', 'a=b,a=c'])(
    'refuses %s',
    (text) => {
      expect(() => parseShorthand(text)).toThrow(CliError)
    },
  )

  test('gives back what stands in quotes', () => {
    const quoted = (text: string) => `'${text.replaceAll("'", "\\'")}'`
    // A backslash before a quote or another one is an escape.
    const text = fc.string({ unit: 'grapheme' }).filter((each) => !each.includes('\\'))
    const key = fc.stringMatching(/^[A-Za-z0-9_.#/:-]{1,9}$/)
    fc.assert(
      fc.property(fc.dictionary(key, text, { minKeys: 1 }), (values) => {
        const entries = Object.entries(values)
        const written = entries.map(([name, value]) => `${name}=${quoted(value)}`).join(',')
        expect([...parseShorthand(written)]).toEqual(entries)
      }),
    )
  })
})

describe('values', () => {
  test('text, as it stands or from a file', async () => {
    const policy = file('policy.json', '{"Version": "2012-10-17"}\n')
    const words = { description: 'file:/no', policy: `file://${policy}` }
    expect(await request('CreateKey', words)).toEqual({
      description: 'file:/no',
      policy: '{"Version": "2012-10-17"}\n',
    })
  })

  test('blobs in base64, raw, or from a file', async () => {
    const bytes = Buffer.from([0, 255, 10, 128])
    const raw = file('plan.bin', bytes)
    const base64 = file('plan.txt', `${bytes.toString('base64')}\n`)
    const plaintextOf = async (plaintext: string, more = {}) =>
      (await request('Encrypt', { keyId: 'alias/a', plaintext }, more)).plaintext
    expect(await plaintextOf('AP8KgA==')).toEqual(bytes)
    expect(await plaintextOf(`fileb://${raw}`)).toEqual(bytes)
    expect(await plaintextOf(`file://${base64}`)).toEqual(bytes)
    expect(await plaintextOf(`fileb://${raw}`, { raw: true })).toEqual(bytes)
    expect(await plaintextOf('héllo', { raw: true })).toEqual(Buffer.from('héllo'))
    expect(await plaintextOf(`file://${base64}`, { raw: true })).toEqual(Buffer.from('AP8KgA==\n'))
  })

  test('maps', async () => {
    const written = [
      'a=b,c=d',
      '{"a": "b", "c": "d"}',
      `file://${file('c.json', '{"a":"b","c":"d"}')}`,
    ]
    for (const encryptionContext of written) {
      const made = await request('Decrypt', { encryptionContext })
      expect(made).toEqual({ encryptionContext: new Map(Object.entries({ a: 'b', c: 'd' })) })
    }
  })

  test('lists of words and of structures', async () => {
    const tags = [
      { tagKey: 'a', tagValue: 'b' },
      { tagKey: 'c', tagValue: '' },
    ]
    const written = [
      ['TagKey=a,TagValue=b', 'TagKey=c,TagValue='],
      ['{"TagKey":"a","TagValue":"b"}', '{"TagKey":"c","TagValue":""}'],
      ['[{"TagKey":"a","TagValue":"b"},{"TagKey":"c","TagValue":""}]'],
    ]
    for (const words of written) {
      expect(await request('CreateKey', { tags: words })).toEqual({ tags })
    }
    const grantTokens = ['one', 'two']
    expect(await request('Decrypt', { grantTokens })).toEqual({ grantTokens })
    expect(await request('Decrypt', { grantTokens: ['["one", "two"]'] })).toEqual({ grantTokens })
    const tokens = file('tokens.json', '["one", "two"]')
    expect(await request('Decrypt', { grantTokens: [`file://${tokens}`] })).toEqual({ grantTokens })
  })

  test('truth, numbers, names', async () => {
    const words = { multiRegion: true, keySpec: 'RSA_2048', bypassPolicyLockoutSafetyCheck: false }
    expect(await request('CreateKey', words)).toEqual(words)
    expect(await request('GenerateRandom', { numberOfBytes: '32' })).toEqual({ numberOfBytes: 32 })
  })

  test('structures', async () => {
    const recipient = 'KeyEncryptionAlgorithm=RSAES_OAEP_SHA_256,AttestationDocument=AAE='
    const json = '{"KeyEncryptionAlgorithm":"RSAES_OAEP_SHA_256","AttestationDocument":"AAE="}'
    for (const written of [recipient, json]) {
      expect(await request('Decrypt', { recipient: written })).toEqual({
        recipient: {
          keyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256',
          attestationDocument: Buffer.from([0, 1]),
        },
      })
    }
  })

  test('--cli-input-json, behind options', async () => {
    const json = '{"KeyId": "alias/a", "Plaintext": "AAE=", "EncryptionContext": {"a": "b"}}'
    const made = await request('Encrypt', { keyId: 'alias/b' }, { json })
    expect(made).toEqual({
      keyId: 'alias/b',
      plaintext: Buffer.from([0, 1]),
      encryptionContext: new Map([['a', 'b']]),
    })
    const path = file('input.json', json)
    expect(await request('Encrypt', { keyId: 'alias/b' }, { json: `file://${path}` })).toEqual(made)
  })
})

describe('what is refused', () => {
  test.each<[RpcName, Words, string]>([
    ['Encrypt', {}, 'the following arguments are required: --key-id, --plaintext'],
    [
      'GenerateRandom',
      { numberOfBytes: '1.5' },
      '--number-of-bytes: NumberOfBytes must be a whole',
    ],
    ['GenerateRandom', { numberOfBytes: '0x10' }, 'must be a whole number'],
    ['CreateKey', { keySpec: 'RSA_1024' }, '--key-spec: KeySpec must be one of SYMMETRIC_DEFAULT,'],
    [
      'CreateKey',
      { tags: ['TagKey=a,Value=b'] },
      'unknown parameter Tags.Value; there are: TagKey',
    ],
    ['CreateKey', { tags: ['[{"TagKey":1}]'] }, 'Tags[0].TagKey must be a string'],
    ['CreateKey', { tags: ['TagKey=a,TagValue=b,c'] }, 'Tags.TagValue must be a string'],
    ['Decrypt', { encryptionContext: 'a=b,c' }, 'the value of a must be a string'],
    ['Decrypt', { encryptionContext: '{"a":1}' }, 'the value of a must be a string'],
    ['Decrypt', { encryptionContext: 'a' }, "expected '=' at character 2"],
    [
      'Decrypt',
      { ciphertextBlob: 'fileb:///nowhere/plan.enc' },
      'cannot read /nowhere/plan.enc: ENOENT',
    ],
    ['Decrypt', { ciphertextBlob: 'fileb:///dev/zero' }, '/dev/zero is longer than 1 MiB'],
  ])('%s %j', async (rpc, words, message) => {
    const refused = request(rpc, words)
    await expect(refused).rejects.toThrow(CliError)
    await expect(refused).rejects.toThrow(message)
  })

  test('--cli-input-json that is no request', async () => {
    await expect(request('Decrypt', {}, { json: '{"KeyID": "a"}' })).rejects.toThrow(
      'unknown parameter KeyID; there are: CiphertextBlob, EncryptionContext,',
    )
    await expect(request('Decrypt', {}, { json: '[]' })).rejects.toThrow('must be a structure')
    await expect(request('Decrypt', {}, { json: '{"KeyId": null}' })).rejects.toThrow('a string')
  })

  test('without showing what may be secret', async () => {
    const secret = 'attack at dawn'
    const grantTokens = [`["${secret}`]
    const written: Words[] = [{ plaintext: secret }, { grantTokens }, { encryptionContext: secret }]
    for (const words of written) {
      const failure = await request('Encrypt', { keyId: 'a', ...words }).catch(String)
      expect(failure).not.toContain('attack')
    }
    const path = file('secret.txt', Buffer.from(`attack ${'\xff'}`, 'latin1'))
    const json = { json: `file://${path}` }
    expect(await request('Encrypt', {}, json).catch(String)).toContain('is not text in UTF-8')
  })
})

test('every request can be written in JSON, and is read back as it was', async () => {
  const contracts: MessageContract[] = Object.values(CONTRACT).map(({ request }) => request)
  for (const contract of contracts) {
    const lenient = {
      ...contract,
      fields: contract.fields.map((field) => ({ ...field, rule: {} })),
    }
    const property = fc.asyncProperty(messages(contract), async (message) => {
      const json = JSON.stringify(toAws(contract, message))
      const given = { options: new Map(), json, blobFormat: 'base64' as const }
      expect(await requestFrom(lenient, given)).toEqual(message)
    })
    await fc.assert(property, { numRuns: 20 })
  }
})

test('blobs are overwritten once they have been sent', () => {
  const plaintext = Buffer.from('attack at dawn')
  wipe({ keyId: 'alias/a', plaintext })
  expect(plaintext.every((byte) => byte === 0)).toBe(true)
})

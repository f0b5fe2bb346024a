/** Answers as the AWS CLI prints them. */

import type { JSONValue } from '@jmespath-community/jmespath'
import { describe, expect, test } from 'vitest'
import { CliError } from '../../src/cli/exit.ts'
import { format, parseQuery, toAws } from '../../src/cli/rpc/output.ts'
import { CONTRACT } from '../../src/contract/contract.ts'

const key = {
  keyMetadata: {
    awsAccountId: '111122223333',
    keyId: '1234abcd-12ab-34cd-56ef-1234567890ab',
    creationDate: new Date('2026-01-31T12:00:00.250Z'),
    deletionDate: new Date('2026-02-28T00:00:00Z'),
    enabled: true,
    keySpec: 'SYMMETRIC_DEFAULT',
    encryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
    signingAlgorithms: [],
    customKeyStoreId: undefined,
  },
}

describe('in the terms of AWS', () => {
  test('names, times, and nothing for what is absent', () => {
    expect(toAws(CONTRACT.DescribeKey.response, key)).toEqual({
      KeyMetadata: {
        AWSAccountId: '111122223333',
        KeyId: '1234abcd-12ab-34cd-56ef-1234567890ab',
        CreationDate: '2026-01-31T12:00:00.250000+00:00',
        DeletionDate: '2026-02-28T00:00:00+00:00',
        Enabled: true,
        KeySpec: 'SYMMETRIC_DEFAULT',
        EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
      },
    })
  })

  test('empty lists of what lists, and no others', () => {
    const none = { keys: [], truncated: false }
    expect(toAws(CONTRACT.ListKeys.response, none)).toEqual({ Keys: [], Truncated: false })
    const publicKey = { keyId: 'a', publicKey: Buffer.from('x'), encryptionAlgorithms: [] }
    expect(toAws(CONTRACT.GetPublicKey.response, publicKey)).not.toHaveProperty(
      'EncryptionAlgorithms',
    )
  })

  test('blobs and maps', () => {
    const request = {
      plaintext: Buffer.from([0, 255]),
      encryptionContext: new Map([['__proto__', 'x']]),
    }
    const written = toAws(CONTRACT.Encrypt.request, request)
    expect(JSON.stringify(written)).toBe(
      '{"Plaintext":"AP8=","EncryptionContext":{"__proto__":"x"}}',
    )
  })
})

describe('JSON and YAML', () => {
  test('are indented by four and two', () => {
    expect(format({ Keys: [{ KeyId: 'é' }] }, 'json')).toBe(
      '{\n    "Keys": [\n        {\n            "KeyId": "é"\n        }\n    ]\n}\n',
    )
    expect(format({ Keys: [{ KeyId: 'a' }] }, 'yaml')).toBe('Keys:\n  - KeyId: a\n')
  })

  test('are empty for an answer without members, and only then', () => {
    expect(format({}, 'json')).toBe('')
    expect(format([], 'json')).toBe('[]\n')
    expect(format(null, 'json')).toBe('null\n')
  })
})

describe('text', () => {
  // Each taken from what aws-cli 1.45 prints for the same value.
  test.each<[string, JSONValue, string]>([
    ['a scalar', 'abc', 'abc\n'],
    ['nothing', null, 'None\n'],
    ['truth', true, 'True\n'],
    ['a list of scalars', ['a', 'b'], 'a\tb\n'],
    ['an empty list', [], ''],
    ['a structure, by its names', { B: 'b', A: 1, C: false }, '1\tb\tFalse\n'],
    ['a structure in a structure', { Key: { B: 'b', A: 'a' } }, 'KEY\ta\tb\n'],
    [
      'a list of structures, with the same columns',
      { Keys: [{ A: 'a' }, { A: 'b', B: 'c' }] },
      'KEYS\ta\t\nKEYS\tb\tc\n',
    ],
    ['a list of scalars with a name', { Names: ['a', 'b'] }, 'NAMES\ta\nNAMES\tb\n'],
    ['a list of lists', [['a', 'b'], ['c']], 'a\tb\nc\n'],
    [
      'what lies deeper',
      { Key: { Id: 'a', Algorithms: ['x', 'y'] } },
      'KEY\ta\nALGORITHMS\tx\nALGORITHMS\ty\n',
    ],
  ])('%s', (_, value, text) => {
    expect(format(value, 'text')).toBe(text)
  })
})

describe('queries', () => {
  test('select', () => {
    const answer = toAws(CONTRACT.DescribeKey.response, key)
    expect(parseQuery('KeyMetadata.KeyId')(answer)).toBe(key.keyMetadata.keyId)
    expect(parseQuery('KeyMetadata.[Enabled, KeySpec]')(answer)).toEqual([
      true,
      'SYMMETRIC_DEFAULT',
    ])
    expect(parseQuery('Absent')(answer)).toBeNull()
  })

  test('are refused before anything is sent', () => {
    expect(() => parseQuery('Keys[')).toThrow(CliError)
    expect(() => parseQuery('Keys[')).toThrow('bad value for --query Keys[:')
  })
})

/** The JSON of policies: what is read, to the letter, and what is not JSON. */

import { describe, expect, test } from 'vitest'
import { KmsError } from '../../src/model/failures.ts'
import { type Json, readJson } from '../../src/policy/json.ts'

/** What is read, or what is wrong. */
function read(text: string): Json | string {
  try {
    return readJson(text)
  } catch (error) {
    if (!(error instanceof KmsError)) throw error
    return error.message.replace('The policy is not well-formed JSON: ', '')
  }
}

describe('numbers', () => {
  test.each([
    ...['0', '-0', '7', '-7', '10', '1234567890', '0.5', '-0.25', '10.05', '1e5', '1E5', '1e+5'],
    ...['1e-5', '1E-05', '12.50e+10', '0e0', '1.0'],
  ])('%s stays as it is written', (text) => {
    expect(read(text)).toEqual({ kind: 'number', text })
    expect(read(` ${text}\n`)).toEqual({ kind: 'number', text })
  })
  test.each([
    ['1.', 2],
    ['01', 2],
    ['00', 2],
    ['-01', 3],
    ['1.2.3', 4],
    ['1.5x', 4],
    ['1e', 2],
    ['1e+', 2],
    ['1e1.5', 4],
    ['1ee5', 2],
    ['1.x5', 2],
    ['0x10', 2],
    ['1_000', 2],
    ['1 2', 3],
  ])('%s is more than one', (text, column) => {
    const where = `line 1, column ${column}.`
    expect(read(text)).toBe(`there is more text after the document at ${where}`)
  })
  test.each(['.5', '+1', '-', '--1', 'e5', 'Infinity', 'NaN'])('%s is none', (text) => {
    expect(read(text)).toBe('no value at line 1, column 1.')
  })
})

describe('texts', () => {
  test.each([
    ['""', ''],
    ['"a b"', 'a b'],
    ['"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\/\b\f\n\r\t'],
    ['"\\u0041\\u00e9\\uD83D\\ude00x"', 'A\u00e9\ud83d\ude00x'],
    ['"x\\ny\\nz"', 'x\ny\nz'],
  ])('%s', (text, expected) => {
    expect(read(text)).toEqual({ kind: 'text', text: expected })
  })
  test.each([
    ...['"', '"a', '"\\x"', '"\\u12"', '"\\u12g4"', '"\\', '"\n"', '"\u001f"', '"a\\qb"'],
    ...['"a\\n\tb"', '"\\U0041"'],
  ])('%j is none', (text) => {
    expect(read(text)).toBe('no well-formed string at line 1, column 1.')
  })
})

describe('the rest', () => {
  test.each([
    ['true', { kind: 'boolean', text: 'true' }],
    ['false', { kind: 'boolean', text: 'false' }],
    ['null', { kind: 'null' }],
    ['[]', { kind: 'list', items: [] }],
    [' [ ] ', { kind: 'list', items: [] }],
    ['[1,true]', { kind: 'list', items: [read('1'), read('true')] }],
    ['\t[\r1 ,\n\n2 ]', { kind: 'list', items: [read('1'), read('2')] }],
    ['{}', { kind: 'object', members: new Map() }],
    [' { } ', { kind: 'object', members: new Map() }],
    [
      ' { "a" : [ ] , "" : 1 } ',
      {
        kind: 'object',
        members: new Map([
          ['a', read('[]')],
          ['', read('1')],
        ]),
      },
    ],
  ] as [string, Json][])('%j', (text, expected) => {
    expect(read(text)).toEqual(expected)
  })
  test.each([
    ['', 'no value at line 1, column 1.'],
    ['\n\n x', 'no value at line 3, column 2.'],
    ['[', 'no value at line 1, column 2.'],
    ['[1,]', 'no value at line 1, column 4.'],
    ['[1\n,2\n;]', 'no "," or "]" at line 3, column 1.'],
    ['{"a":1,}', 'no well-formed string at line 1, column 8.'],
    ['{"a";1}', 'no ":" at line 1, column 5.'],
    ['{"a":1;}', 'no "," or "}" at line 1, column 7.'],
    ['{a:1}', 'no well-formed string at line 1, column 2.'],
    ['{"a":1, "a":2}', 'a second member "a" at line 1, column 9.'],
    ['{"a":{"b":1},\n  "b":{"c":1, "c":2}}', 'a second member "c" at line 2, column 15.'],
    ['truE', 'no value at line 1, column 1.'],
    ['falsy', 'no value at line 1, column 1.'],
    ['nul', 'no value at line 1, column 1.'],
    ['True', 'no value at line 1, column 1.'],
    ['truex', 'there is more text after the document at line 1, column 5.'],
    ['[] []', 'there is more text after the document at line 1, column 4.'],
    ['\u00a01', 'no value at line 1, column 1.'],
  ])('%j: %s', (text, expected) => {
    expect(read(text)).toBe(expected)
  })
  test('16 levels, and not one more', () => {
    const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`
    expect(read(nested(17))).toMatchObject({ kind: 'list' })
    const message = 'it is nested deeper than 16 levels at line 1, column 18.'
    expect(read(nested(18))).toBe(message)
    expect(read(`${'{"a":'.repeat(17)}1${'}'.repeat(17)}`)).toBe(
      'it is nested deeper than 16 levels at line 1, column 86.',
    )
  })
})

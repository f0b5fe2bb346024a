/** The reader and the writer of JSON: what JSON.parse takes and AWS would not, and their bounds. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { JsonReader } from '../../../src/doors/aws/json/reader.ts'
import { JsonWriter } from '../../../src/doors/aws/json/writer.ts'

/** Reads a document whole, as JSON.parse would, with Maps for objects. */
function read(source: string | Buffer): unknown {
  const reader = new JsonReader(Buffer.from(source))
  const value = readValue(reader)
  reader.end()
  return value
}

function readValue(reader: JsonReader): unknown {
  switch (reader.kind()) {
    case 'object': {
      const map = new Map<string, unknown>()
      reader.object((name) => map.set(name, readValue(reader)))
      return map
    }
    case 'array': {
      const items: unknown[] = []
      reader.array(() => items.push(readValue(reader)))
      return items
    }
    case 'string':
      return reader.string()
    case 'number':
      return reader.number()
    case 'boolean':
      return reader.boolean()
    case 'null':
      reader.null()
      return null
  }
}

function withMaps(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withMaps)
  if (value === null || typeof value !== 'object') return value
  return new Map(Object.entries(value).map(([name, item]) => [name, withMaps(item)]))
}

function isRefused(source: string | Buffer): boolean {
  try {
    read(source)
    return false
  } catch (error) {
    expect((error as Error).name).toBe('SerializationException')
    return true
  }
}

describe('the reader', () => {
  test('reads what JSON.stringify writes', () => {
    const json = fc.jsonValue({ maxDepth: 5, noUnicodeString: false })
    fc.assert(
      fc.property(json, fc.constantFrom(undefined, 1, '\t'), (value, space) => {
        const text = JSON.stringify(value, undefined, space)
        fc.pre(text.isWellFormed())
        expect(read(text)).toEqual(withMaps(JSON.parse(text)))
      }),
    )
  })

  test('takes nothing that JSON.parse refuses', () => {
    const parts = ['{', '}', '[', ']', ':', ',', '"', '\\', '"a"', '1', '-', '.5', '1e3', 'true']
    const more = ['null', ' ', '\n', '"\\u0041"', '\\ud800', '\u0000', 'nul', '0', '/', 'é', "'"]
    const source = fc.array(fc.constantFrom(...parts, ...more), { maxLength: 12 })
    fc.assert(
      fc.property(source, (pieces) => {
        const text = pieces.join('')
        let isJson = true
        try {
          JSON.parse(text)
        } catch {
          isJson = false
        }
        if (!isJson) expect(isRefused(text)).toBe(true)
      }),
      { numRuns: 5_000 },
    )
  })

  test.each([
    ['a member twice', '{"a":1,"a":1}'],
    ['a member twice, once escaped', '{"a":1,"\\u0061":1}'],
    ['half of a surrogate pair', '"\\ud83d"'],
    ['the other half', '"\\ude00\\ud83d"'],
    ['bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['an overlong form', Buffer.from([0x22, 0xc0, 0xaf, 0x22])],
    ['a surrogate in UTF-8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['a byte order mark', '\ufeff{}'],
    ['a comment', '{}//'],
    ['a number with a zero before it', '01'],
    ['a number as long as a page', `${'1'.repeat(33)}`],
    ['nothing', ''],
  ])('refuses %s', (_, source) => expect(isRefused(source)).toBe(true))

  test('P7: bounds depth', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
    expect(isRefused(nested(16))).toBe(false)
    expect(isRefused(nested(17))).toBe(true)
    expect(isRefused('['.repeat(60_000))).toBe(true)
    expect(isRefused(`${'{"a":'.repeat(16)}1${'}'.repeat(16)}`)).toBe(false)
  })

  test('bounds members, in all', () => {
    const members = (count: number) =>
      `{${Array.from({ length: count }, (_, at) => `"${at}":{}`).join()}}`
    expect(isRefused(members(1_000))).toBe(false)
    expect(isRefused(members(1_001))).toBe(true)
    expect(isRefused(`[${members(600)},${members(401)}]`)).toBe(true)
  })

  test('keeps a pair that stands for one character', () => {
    expect(read('"\\ud83d\\ude00"')).toBe('😀')
  })
})

describe('base64', () => {
  const decode = (source: string) => new JsonReader(Buffer.from(source)).base64()

  test('is read where it stands, and written', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const writer = new JsonWriter()
        writer.base64(bytes)
        const document = writer.finish()
        expect(document.toString()).toBe(`"${Buffer.from(bytes).toString('base64')}"`)
        const decoded = new JsonReader(document).base64()
        expect(Buffer.from(bytes).equals(decoded)).toBe(true)
        expect(decoded.buffer).toBe(document.buffer)
      }),
    )
  })

  test('may have escapes, as some clients write them', () => {
    expect(decode('"\\/\\/8\\u003d"')).toEqual(Buffer.from([0xff, 0xff]))
  })

  test.each([
    '"YQ"',
    '"YQ="',
    '"YR=="',
    '"Y==="',
    '"===="',
    '"YWI_"',
    '"YW I="',
    '"\\u00e9QQ="',
    '"A\\n=="',
  ])('%s is none', (source) => expect(() => decode(source)).toThrow('base64'))
})

describe('the writer', () => {
  test('writes any string as JSON has it', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 2_000 })), (texts) => {
        const writer = new JsonWriter()
        writer.raw('[')
        for (const [at, text] of texts.entries()) {
          if (at > 0) writer.raw(',')
          writer.string(text)
        }
        writer.raw(']')
        expect(JSON.parse(writer.finish().toString())).toEqual(texts)
      }),
    )
  })
})

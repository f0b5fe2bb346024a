/** The laws of the canonical encryption context. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CONTEXT_BYTES_MAX, canonicalContext } from '../../src/model/encryption-context.ts'

// Texts that are alike: short ones over few characters, so that pairs shift into each other.
const character = fc.constantFrom(
  'a',
  'b',
  '\u0000',
  '\u0001',
  '\ufffd',
  '\uff61',
  '😀',
  'é',
  'e\u0301',
)
const text = fc.oneof(
  fc.array(character, { maxLength: 4 }).map((characters) => characters.join('')),
  fc.constantFrom('__proto__', 'constructor', 'toString', '0', '1'),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
)
const key = text.filter((value) => value !== '' && value.isWellFormed())
const context = fc
  .uniqueArray(
    fc.tuple(
      key,
      text.filter((value) => value.isWellFormed()),
    ),
    {
      selector: ([name]) => name,
      maxLength: 6,
    },
  )
  .map((pairs) => new Map(pairs))

const same = (a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>) =>
  a.size === b.size && [...a].every(([name, value]) => b.get(name) === value)

describe('canonicalContext', () => {
  test('is equal exactly for equal pairs', () => {
    fc.assert(
      fc.property(context, context, (a, b) => {
        expect(canonicalContext(a).equals(canonicalContext(b))).toBe(same(a, b))
      }),
      { numRuns: 1000 },
    )
  })

  test('does not depend on order', () => {
    const shuffled = context.chain((a) =>
      fc
        .shuffledSubarray([...a], { minLength: a.size })
        .map((pairs): [typeof a, Map<string, string>] => [a, new Map(pairs)]),
    )
    fc.assert(
      fc.property(shuffled, ([a, b]) => {
        expect(canonicalContext(b)).toEqual(canonicalContext(a))
      }),
    )
  })

  test('can be read back, pair by pair, in the order of UTF-8 bytes', () => {
    fc.assert(
      fc.property(context, (a) => {
        const pairs = decode(canonicalContext(a))
        expect(same(new Map(pairs), a)).toBe(true)
        const names = pairs.map(([name]) => Buffer.from(name))
        expect(names.toSorted(Buffer.compare)).toEqual(names)
      }),
    )
  })

  test('orders by bytes where UTF-16 units would order otherwise', () => {
    // U+FF61 is above the surrogates as a unit, and below U+1F600 as bytes.
    const halfwidth = '\uff61'
    const emoji = '😀'
    expect(halfwidth > emoji).toBe(true)
    const pairs = decode(
      canonicalContext(
        new Map([
          [emoji, '1'],
          [halfwidth, '2'],
        ]),
      ),
    )
    expect(pairs.map(([name]) => name)).toEqual([halfwidth, emoji])
  })

  test('keeps a pair named __proto__', () => {
    const named = canonicalContext(new Map([['__proto__', 'x']]))
    expect(named.equals(canonicalContext(new Map()))).toBe(false)
    expect(named.includes('__proto__')).toBe(true)
  })

  test('does not confuse pairs whose bytes are shifted', () => {
    const a = canonicalContext(new Map([['ab', 'c']]))
    const b = canonicalContext(new Map([['a', 'bc']]))
    const c = canonicalContext(
      new Map([
        ['a', 'b'],
        ['c', ''],
      ]),
    )
    expect(new Set([a, b, c].map((bytes) => bytes.toString('hex'))).size).toBe(3)
  })

  test.each([
    ['a lone high surrogate in a key', new Map([['a\ud800', 'x']])],
    ['a lone low surrogate in a value', new Map([['a', '\udc00']])],
    ['surrogates the wrong way round', new Map([['a', '\ude00\ud83d']])],
    ['an empty key', new Map([['', 'x']])],
    ['too much', new Map([['a', 'x'.repeat(CONTEXT_BYTES_MAX)]])],
    ['a value whose length does not fit', new Map([['a', 'x'.repeat(0x10000)]])],
  ])('refuses %s', (_, refused) => {
    expect(() => canonicalContext(refused)).toThrow(
      expect.objectContaining({ name: 'ValidationException' }),
    )
  })

  test('allows 8192 bytes and not one more', () => {
    const filled = (bytes: number) => new Map([['a', 'x'.repeat(bytes - 2 - 4 - 1)]])
    expect(canonicalContext(filled(CONTEXT_BYTES_MAX))).toHaveLength(CONTEXT_BYTES_MAX)
    expect(() => canonicalContext(filled(CONTEXT_BYTES_MAX + 1))).toThrow('8192')
  })
})

function decode(canonical: Buffer): [string, string][] {
  const pairs: [string, string][] = []
  let at = 2
  const take = () => {
    const length = canonical.readUInt16BE(at)
    at += 2 + length
    return canonical.toString('utf8', at - length, at)
  }
  for (let left = canonical.readUInt16BE(0); left > 0; left--) pairs.push([take(), take()])
  expect(at).toBe(canonical.length)
  return pairs
}

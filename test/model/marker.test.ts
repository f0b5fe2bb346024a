/** The laws of pagination markers. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  MARKER_LENGTH_MAX,
  type MarkerQuery,
  packMarker,
  parseMarker,
} from '../../src/model/marker.ts'

const query: fc.Arbitrary<MarkerQuery> = fc.record({
  operation: fc.constantFrom('ListKeys', 'ListAliases', 'ListKey', 'sListKeys'),
  account: fc.constantFrom('111122223333', '444455556666'),
  region: fc.constantFrom('eu-central-1', 'eu-central-12', 'us-east-1'),
  filter: fc.option(fc.constantFrom('', 'a', 'eu-central-1'), { nil: undefined }),
})
const after = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
const invalid = expect.objectContaining({ name: 'InvalidMarkerException' })

describe('a marker', () => {
  test('leads back to its item, within the limits of AWS', () => {
    fc.assert(
      fc.property(query, after, (of, item) => {
        const marker = packMarker(of, item)
        expect(marker).toMatch(/^[\u0020-\u00FF]{1,1024}$/)
        expect(parseMarker(of, marker)).toBe(item)
      }),
    )
  })

  test('is good for its own query only', () => {
    fc.assert(
      fc.property(query, query, after, (of, other, item) => {
        const marker = packMarker(of, item)
        const same = JSON.stringify(of) === JSON.stringify(other)
        if (same) expect(parseMarker(other, marker)).toBe(item)
        else expect(() => parseMarker(other, marker)).toThrow(invalid)
      }),
      { numRuns: 500 },
    )
  })

  test('has one spelling', () => {
    fc.assert(
      fc.property(query, after, fc.nat(), fc.string({ maxLength: 2 }), (of, item, at, text) => {
        const marker = packMarker(of, item)
        const cut = at % (marker.length + 1)
        const changed = marker.slice(0, cut) + text + marker.slice(cut + 1)
        try {
          // Only the item itself may be another one of the same list.
          const moved = parseMarker(of, changed)
          expect(packMarker(of, moved)).toBe(changed)
        } catch (error) {
          expect(error).toEqual(invalid)
        }
      }),
      { numRuns: 1000 },
    )
  })

  test('of foreign text is refused', () => {
    fc.assert(
      fc.property(query, fc.string({ unit: 'binary', maxLength: 200 }), (of, text) => {
        expect(() => parseMarker(of, text)).toThrow(invalid)
      }),
    )
  })

  test('holds the longest name there is, and refuses to hold more', () => {
    const [of] = fc.sample(query, { numRuns: 1, seed: 1 })
    if (of === undefined) throw new Error('no sample')
    const longest = 'x'.repeat(751)
    expect(packMarker(of, longest)).toHaveLength(MARKER_LENGTH_MAX)
    expect(parseMarker(of, packMarker(of, longest))).toBe(longest)
    expect(() => packMarker(of, `${longest}x`)).toThrow()
    expect(() => packMarker(of, '')).toThrow()
    expect(() => packMarker(of, '\ud800')).toThrow()
  })
})

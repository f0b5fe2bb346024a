/** Changes to bytes, for tests that send what is nearly a request. */

import fc from 'fast-check'

/** A change of one place, wherever that is in the bytes at hand. */
export interface Mutation {
  readonly does: 'set' | 'cut' | 'insert' | 'repeat'
  readonly at: number
  readonly byte: number
}

/** Any change. */
export const mutation: fc.Arbitrary<Mutation> = fc.record({
  does: fc.constantFrom('set', 'cut', 'insert', 'repeat'),
  at: fc.nat(),
  byte: fc.nat({ max: 255 }),
})

/** The bytes after a change. */
export function mutated(bytes: Buffer, { does, at, byte }: Mutation): Buffer {
  const place = at % (bytes.length + 1)
  const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)]
  if (does === 'cut') return before
  if (does === 'set') return Buffer.concat([before, Buffer.of(byte), after.subarray(1)])
  if (does === 'insert') return Buffer.concat([before, Buffer.of(byte), after])
  return Buffer.concat([before, after, after])
}

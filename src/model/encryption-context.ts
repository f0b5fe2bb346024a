/**
 * The canonical form of an encryption context: exact, case-sensitive, free of order.
 *
 * Each pair is a 2-byte length and UTF-8 bytes for the key, then the same for the value; pairs
 * stand in the order of their keys' UTF-8 bytes, behind a 2-byte count (big-endian). An empty
 * context is the count 0. The order is that of bytes, not JavaScript's (UTF-16 units), so that
 * other languages arrive at the same bytes; and a lone surrogate is refused, since UTF-8 would
 * fold every one of them into U+FFFD and two contexts into one.
 */

import { fail } from './failures.ts'

/** An encryption context: a plain object would lose a key named `__proto__`. */
export type EncryptionContext = ReadonlyMap<string, string>

/** The longest canonical form, in bytes. */
export const CONTEXT_BYTES_MAX = 8192

const LENGTH_MAX = 0xffff

/**
 * Refuses a context whose canonical form would be too long, without making it: whatever is done for
 * each pair, or with each value, is done of few and short ones only if this comes first.
 *
 * @throws KmsError ValidationException for more than 8192 bytes.
 */
export function checkContextLength(context: EncryptionContext): void {
  let bytes = 2
  for (const [key, value] of context) {
    bytes += 4 + Buffer.byteLength(key) + Buffer.byteLength(value)
    if (bytes > CONTEXT_BYTES_MAX) refuseLength()
  }
}

/**
 * The canonical bytes of a context.
 *
 * @throws KmsError ValidationException for an empty key, a lone surrogate, or more than 8192 bytes.
 */
export function canonicalContext(context: EncryptionContext): Buffer {
  const pairs = [...context].map(([key, value]) => ({
    key: utf8(key, 'key'),
    value: utf8(value, 'value'),
  }))
  if (pairs.some(({ key }) => key.length === 0)) {
    fail('ValidationException', 'An encryption context key must not be empty.')
  }
  pairs.sort((a, b) => Buffer.compare(a.key, b.key))
  const bytes = 2 + pairs.reduce((sum, { key, value }) => sum + 4 + key.length + value.length, 0)
  if (bytes > CONTEXT_BYTES_MAX) refuseLength()
  const canonical = Buffer.alloc(bytes)
  let at = canonical.writeUInt16BE(pairs.length)
  for (const { key, value } of pairs) {
    at = canonical.writeUInt16BE(key.length, at)
    at += key.copy(canonical, at)
    at = canonical.writeUInt16BE(value.length, at)
    at += value.copy(canonical, at)
  }
  return canonical
}

function utf8(text: string, what: 'key' | 'value'): Buffer {
  if (!text.isWellFormed()) {
    fail('ValidationException', `An encryption context ${what} holds a lone surrogate.`)
  }
  const bytes = Buffer.from(text)
  if (bytes.length > LENGTH_MAX) refuseLength()
  return bytes
}

function refuseLength(): never {
  fail('ValidationException', `The encryption context is longer than ${CONTEXT_BYTES_MAX} bytes.`)
}

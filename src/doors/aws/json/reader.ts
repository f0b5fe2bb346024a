/**
 * Reads JSON (RFC 8259) straight from the bytes that came, in one pass, with bounds: what is not
 * asked for is never made, and a blob is decoded where it stands, so that no string of it is ever
 * in memory. Stricter than JSON.parse: no member twice, no half of a surrogate pair.
 */

import { isUtf8 } from 'node:buffer'
import { fail } from '../../../model/failures.ts'
import { BASE64_VALUES } from './base64.ts'

/** What a value begins to be. */
export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null'

/** The bounds. */
export interface JsonBounds {
  /** Objects and arrays inside each other. */
  readonly depthMax: number
  /** Members of objects, in all. */
  readonly keysMax: number
}

const BOUNDS: JsonBounds = { depthMax: 16, keysMax: 1000 }

const QUOTE = 0x22
const BACKSLASH = 0x5c
const SLASH = 0x2f
const LETTER_U = 0x75
const COMMA = 0x2c
const COLON = 0x3a
const EQUALS = 0x3d
const MINUS = 0x2d
const OBJECT = 0x7b
const OBJECT_END = 0x7d
const ARRAY = 0x5b
const ARRAY_END = 0x5d
const FIRST_PRINTABLE = 0x20
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
const NUMBER_LENGTH_MAX = 32
const SHOWN_LENGTH_MAX = 64

/** One walk over a document; every method throws KmsError SerializationException. */
export class JsonReader {
  readonly #bytes: Buffer
  readonly #bounds: JsonBounds
  #at = 0
  #depth = 0
  #keys = 0

  constructor(bytes: Buffer, bounds = BOUNDS) {
    if (!isUtf8(bytes)) malformed('the body is not UTF-8')
    this.#bytes = bytes
    this.#bounds = bounds
  }

  /** What comes next. */
  kind(): JsonKind {
    this.#skipSpace()
    switch (this.#bytes[this.#at]) {
      case OBJECT:
        return 'object'
      case ARRAY:
        return 'array'
      case QUOTE:
        return 'string'
      case 0x74: // t
      case 0x66: // f
        return 'boolean'
      case 0x6e: // n
        return 'null'
      case undefined:
        return malformed('it ends early')
      default:
        return 'number'
    }
  }

  /** Reads an object; `member` reads the value of each of its members. */
  object(member: (name: string) => void): void {
    this.#open(OBJECT)
    const seen = new Set<string>()
    if (!this.#closes(OBJECT_END)) {
      do {
        this.#skipSpace()
        const name = this.string()
        this.#keys += 1
        if (this.#keys > this.#bounds.keysMax) malformed('it has too many members')
        if (seen.has(name)) malformed(`the member '${shown(name)}' is there twice`)
        seen.add(name)
        this.#take(COLON)
        member(name)
      } while (this.#goesOn(OBJECT_END))
    }
    this.#depth -= 1
  }

  /** Reads an array; `item` reads each of its items. */
  array(item: () => void): void {
    this.#open(ARRAY)
    if (!this.#closes(ARRAY_END)) {
      do item()
      while (this.#goesOn(ARRAY_END))
    }
    this.#depth -= 1
  }

  /** Reads a string. */
  string(): string {
    const [start, end, isPlain] = this.#span()
    const text = this.#bytes.toString('utf8', start, end)
    if (isPlain) return text
    let whole: string
    try {
      whole = JSON.parse(`"${text}"`)
    } catch {
      return malformed('a string has an escape that is none')
    }
    return whole.isWellFormed() ? whole : malformed('a string has half of a surrogate pair')
  }

  /**
   * Reads a string of base64 (RFC 4648, padded), and puts its bytes in the place of its characters.
   *
   * @returns a view into the document.
   */
  base64(): Buffer {
    const [start, spanEnd, isPlain] = this.#span()
    const bytes = this.#bytes
    const end = isPlain ? spanEnd : this.#unescape(start, spanEnd)
    if ((end - start) % 4 !== 0) malformed('a blob is not base64')
    let padding = 0
    while (padding < 2 && end - padding > start && bytes[end - padding - 1] === EQUALS) padding += 1
    const last = end - padding
    let to = start
    let bits = 0
    let held = 0
    for (let from = start; from < last; from++) {
      const value = BASE64_VALUES[bytes[from] ?? 0] ?? -1
      if (value < 0) malformed('a blob is not base64')
      held = ((held << 6) | value) & 0xfff
      bits += 6
      if (bits >= 8) {
        bits -= 8
        bytes[to++] = (held >> bits) & 0xff
      }
    }
    // Bits that come to no byte: with any but zeros, two texts would stand for the same bytes.
    if ((held & ((1 << bits) - 1)) !== 0) malformed('a blob is not base64')
    return bytes.subarray(start, to)
  }

  /** Reads a number. */
  number(): number {
    this.#skipSpace()
    const start = this.#at
    while (isOfNumber(this.#bytes[this.#at])) this.#at += 1
    const text = this.#bytes.toString(
      'latin1',
      start,
      Math.min(this.#at, start + NUMBER_LENGTH_MAX + 1),
    )
    if (text.length > NUMBER_LENGTH_MAX || !NUMBER.test(text)) {
      malformed('there is something that is no value')
    }
    return Number(text)
  }

  /** Reads `true` or `false`. */
  boolean(): boolean {
    this.#skipSpace()
    const is = this.#bytes[this.#at] === 0x74
    this.#word(is ? 'true' : 'false')
    return is
  }

  /** Reads `null`. */
  null(): void {
    this.#skipSpace()
    this.#word('null')
  }

  /** Reads whatever comes, and forgets it. */
  skip(): void {
    switch (this.kind()) {
      case 'object':
        this.object(() => this.skip())
        break
      case 'array':
        this.array(() => this.skip())
        break
      case 'string':
        this.string()
        break
      case 'number':
        this.number()
        break
      case 'boolean':
        this.boolean()
        break
      case 'null':
        this.null()
    }
  }

  /** Expects nothing more. */
  end(): void {
    this.#skipSpace()
    if (this.#at < this.#bytes.length) malformed('something follows behind it')
  }

  #open(bracket: number): void {
    this.#take(bracket)
    this.#depth += 1
    if (this.#depth > this.#bounds.depthMax) malformed('it is nested too deep')
  }

  #closes(bracket: number): boolean {
    this.#skipSpace()
    if (this.#bytes[this.#at] !== bracket) return false
    this.#at += 1
    return true
  }

  #goesOn(bracket: number): boolean {
    if (this.#closes(bracket)) return false
    this.#take(COMMA)
    return true
  }

  #take(byte: number): void {
    this.#skipSpace()
    if (this.#bytes[this.#at] !== byte) {
      malformed(`'${String.fromCharCode(byte)}' was expected`)
    }
    this.#at += 1
  }

  #word(word: string): void {
    const end = this.#at + word.length
    if (this.#bytes.toString('latin1', this.#at, end) !== word) {
      malformed('there is something that is no value')
    }
    this.#at = end
  }

  /** The next string: where it begins and ends, and whether it has no escapes. */
  #span(): readonly [start: number, end: number, isPlain: boolean] {
    this.#take(QUOTE)
    const bytes = this.#bytes
    const start = this.#at
    let isPlain = true
    let at = start
    for (;;) {
      const byte = bytes[at]
      if (byte === QUOTE) break
      if (byte === undefined) malformed('a string has no end')
      if (byte < FIRST_PRINTABLE) malformed('a string has a control character')
      if (byte === BACKSLASH) {
        isPlain = false
        at += 1
      }
      at += 1
    }
    if (at >= bytes.length) malformed('a string has no end')
    this.#at = at + 1
    return [start, at, isPlain]
  }

  /**
   * Puts characters in the place of their escapes: some clients escape the slash, or the equals
   * sign. What is behind the new end stays, and has been read.
   *
   * @returns the new end.
   */
  #unescape(start: number, end: number): number {
    const bytes = this.#bytes
    let to = start
    for (let from = start; from < end; to++) {
      const escaped = bytes[from] === BACKSLASH ? bytes[from + 1] : undefined
      if (escaped === undefined) {
        bytes[to] = bytes[from++] ?? 0
      } else if (escaped === SLASH) {
        bytes[to] = SLASH
        from += 2
      } else {
        const digits = bytes.toString('latin1', from + 2, from + 6)
        if (escaped !== LETTER_U || !/^00[0-7][0-9a-fA-F]$/.test(digits)) {
          malformed('a blob is not base64')
        }
        bytes[to] = Number.parseInt(digits, 16)
        from += 6
      }
    }
    return to
  }

  #skipSpace(): void {
    const bytes = this.#bytes
    for (;;) {
      const byte = bytes[this.#at]
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return
      this.#at += 1
    }
  }
}

/** Digits, signs, the point and the exponent; what they make together is looked at later. */
function isOfNumber(byte: number | undefined): boolean {
  if (byte === undefined) return false
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    byte === MINUS ||
    byte === 0x2b ||
    byte === 0x2e ||
    byte === 0x65 ||
    byte === 0x45
  )
}

function malformed(why: string): never {
  fail('SerializationException', `The body of the request is not usable: ${why}.`)
}

function shown(name: string): string {
  return name.slice(0, SHOWN_LENGTH_MAX).toWellFormed()
}

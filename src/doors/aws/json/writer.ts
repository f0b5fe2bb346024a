/**
 * Writes JSON into a Buffer of its own. Bytes become base64 there and nowhere else, so that who
 * zeroes the buffer leaves no copy of a plaintext behind.
 */

import { BASE64_CHARACTERS } from './base64.ts'

const INITIAL_BYTES = 1024
/** What JSON.stringify would leave as it is. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/
const EQUALS = 0x3d
/** The most bytes of UTF-8 that one UTF-16 unit takes. */
const UTF8_BYTES_MAX = 3

/** A document that is being written. */
export class JsonWriter {
  #bytes = Buffer.alloc(INITIAL_BYTES)
  #length = 0

  /** Writes what is JSON already: brackets, names with their quotes, numbers. ASCII only. */
  raw(json: string): void {
    this.#room(json.length)
    this.#length += this.#bytes.write(json, this.#length, 'latin1')
  }

  /** Writes a string. */
  string(text: string): void {
    const json = PLAIN.test(text) ? `"${text}"` : JSON.stringify(text)
    this.#room(json.length * UTF8_BYTES_MAX)
    this.#length += this.#bytes.write(json, this.#length)
  }

  /** Writes bytes as a string of base64. */
  base64(bytes: Uint8Array): void {
    const { length } = bytes
    this.#room(Math.ceil(length / 3) * 4 + 2)
    const to = this.#bytes
    let at = this.#length
    to[at++] = 0x22
    let from = 0
    for (; from + 2 < length; from += 3) {
      const three =
        (byteOf(bytes, from) << 16) | (byteOf(bytes, from + 1) << 8) | byteOf(bytes, from + 2)
      to[at++] = character(three >> 18)
      to[at++] = character(three >> 12)
      to[at++] = character(three >> 6)
      to[at++] = character(three)
    }
    const rest = length - from
    if (rest > 0) {
      const two = (byteOf(bytes, from) << 16) | (rest > 1 ? byteOf(bytes, from + 1) << 8 : 0)
      to[at++] = character(two >> 18)
      to[at++] = character(two >> 12)
      to[at++] = rest > 1 ? character(two >> 6) : EQUALS
      to[at++] = EQUALS
    }
    to[at++] = 0x22
    this.#length = at
  }

  /** The document; who is given it zeroes it once it has been sent. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  #room(bytes: number): void {
    const needed = this.#length + bytes
    if (needed <= this.#bytes.length) return
    const larger = Buffer.alloc(Math.max(needed, 2 * this.#bytes.length))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes.fill(0)
    this.#bytes = larger
  }
}

function byteOf(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0
}

function character(sixBits: number): number {
  return BASE64_CHARACTERS[sixBits & 0x3f] ?? 0
}

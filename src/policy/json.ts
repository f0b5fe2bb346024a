/**
 * Reads the JSON of policies. `JSON.parse` would let the last of two equal members win, so that a
 * reviewer and the evaluator may read two different policies; would lose a member named
 * `__proto__`; and would turn `1.0` and `1` into the same number, where conditions compare text.
 */

import { fail } from '../model/failures.ts'

/** A JSON value; numbers stay as they are written. */
export type Json =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'boolean'; readonly text: 'true' | 'false' }
  | { readonly kind: 'null' }
  | { readonly kind: 'list'; readonly items: readonly Json[] }
  | { readonly kind: 'object'; readonly members: ReadonlyMap<string, Json> }

/** The deepest nesting: a policy needs six levels. */
export const DEPTH_MAX = 16

const SPACE = /[ \t\n\r]*/y
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
// Runs of anything but quote, backslash and control characters, between escapes: written so that
// there is one way to match, and a long string that never ends costs no more than a good one.
const TEXT =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 8259 forbids them in strings.
  /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y

/**
 * Reads a JSON text.
 *
 * @throws KmsError MalformedPolicyDocumentException if it is not JSON, has a member twice in one
 *   object or is nested deeper than 16 levels; the message names the line and column.
 */
export function readJson(text: string): Json {
  const reader: Reader = { text, at: 0 }
  const value = readValue(reader, 0)
  skipSpace(reader)
  if (reader.at < text.length) malformed(reader, 'there is more text after the document')
  return value
}

interface Reader {
  readonly text: string
  at: number
}

function readValue(reader: Reader, depth: number): Json {
  if (depth > DEPTH_MAX) malformed(reader, `it is nested deeper than ${DEPTH_MAX} levels`)
  skipSpace(reader)
  switch (reader.text[reader.at]) {
    case '{':
      return readObject(reader, depth)
    case '[':
      return readList(reader, depth)
    case '"':
      return { kind: 'text', text: readText(reader) }
    case 't':
      return readWord(reader, 'true', { kind: 'boolean', text: 'true' })
    case 'f':
      return readWord(reader, 'false', { kind: 'boolean', text: 'false' })
    case 'n':
      return readWord(reader, 'null', { kind: 'null' })
    default:
      return { kind: 'number', text: take(reader, NUMBER) ?? malformed(reader, 'no value') }
  }
}

function readObject(reader: Reader, depth: number): Json {
  const members = new Map<string, Json>()
  reader.at += 1
  if (takes(reader, '}')) return { kind: 'object', members }
  do {
    skipSpace(reader)
    const nameAt = reader.at
    const name = readText(reader)
    if (members.has(name)) malformed({ ...reader, at: nameAt }, `a second member "${name}"`)
    if (!takes(reader, ':')) malformed(reader, 'no ":"')
    members.set(name, readValue(reader, depth + 1))
  } while (takes(reader, ','))
  if (!takes(reader, '}')) malformed(reader, 'no "," or "}"')
  return { kind: 'object', members }
}

function readList(reader: Reader, depth: number): Json {
  const items: Json[] = []
  reader.at += 1
  if (takes(reader, ']')) return { kind: 'list', items }
  do {
    items.push(readValue(reader, depth + 1))
  } while (takes(reader, ','))
  if (!takes(reader, ']')) malformed(reader, 'no "," or "]"')
  return { kind: 'list', items }
}

function readText(reader: Reader): string {
  const quoted = take(reader, TEXT) ?? malformed(reader, 'no well-formed string')
  const text: string = JSON.parse(quoted)
  return text
}

function readWord(reader: Reader, word: string, value: Json): Json {
  if (!reader.text.startsWith(word, reader.at)) malformed(reader, 'no value')
  reader.at += word.length
  return value
}

/** Whether a punctuation mark comes next, which is then passed. */
function takes(reader: Reader, mark: string): boolean {
  skipSpace(reader)
  if (reader.text[reader.at] !== mark) return false
  reader.at += 1
  return true
}

function skipSpace(reader: Reader): void {
  take(reader, SPACE)
}

function take(reader: Reader, pattern: RegExp): string | undefined {
  pattern.lastIndex = reader.at
  const found = pattern.exec(reader.text)?.[0]
  if (found !== undefined) reader.at += found.length
  return found
}

function malformed({ text, at }: Reader, what: string): never {
  const before = text.slice(0, at)
  const line = before.split('\n').length
  const column = at - before.lastIndexOf('\n')
  fail(
    'MalformedPolicyDocumentException',
    `The policy is not well-formed JSON: ${what} at line ${line}, column ${column}.`,
  )
}

/**
 * The AWS CLI's shorthand for maps and structures: `TagKey=a,TagValue=b`.
 * https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-shorthand.html
 */

import { misused } from '../exit.ts'

/** What shorthand says: text, a list, or keys with values. */
export type Shorthand = string | readonly Shorthand[] | ReadonlyMap<string, Shorthand>

/** The text and how far it has been read. */
interface Reader {
  readonly text: string
  at: number
}

const SPACE = /\s*/y
const KEY = /[A-Za-z0-9\-_.#/:]+/y
const QUOTED = /'(?:\\'|[^'])*'|"(?:\\"|[^"])*"/y
// A comma may stand behind a backslash. A value that may be the next key ends before `=`.
const VALUE = /(?:\\,|[^\s"',=[{])(?:\\,|[^"',\]}])*/y
const LISTED_VALUE = /(?:\\,|[^\s"',=[{])(?:\\,|[^"',=])*/y

/**
 * Parses shorthand.
 *
 * @throws CliError whose message shows the place, but not the text, which may be secret.
 */
export function parseShorthand(text: string): ReadonlyMap<string, Shorthand> {
  const reader = { text, at: 0 }
  const parsed = new Map<string, Shorthand>()
  do {
    const key = readKey(reader, parsed)
    parsed.set(key, readValues(reader))
  } while (readComma(reader))
  if (reader.at < text.length) refuse(reader, 'a comma')
  return parsed
}

function readKey(reader: Reader, known: ReadonlyMap<string, Shorthand>): string {
  match(reader, SPACE)
  const key = match(reader, KEY)
  if (key === undefined) refuse(reader, 'a key')
  if (known.has(key)) {
    misused(`the key '${key}' stands twice: items of a list are set apart by a space, not a comma`)
  }
  match(reader, SPACE)
  if (!skip(reader, '=')) refuse(reader, "'='")
  match(reader, SPACE)
  return key
}

/** One value, or several that commas set apart: `a=b,c,d=e` is a list and a text. */
function readValues(reader: Reader): Shorthand {
  if (isNext(reader, '[') || isNext(reader, '{')) return readNested(reader)
  const values = [readText(reader, VALUE) ?? '']
  for (;;) {
    const before = reader.at
    if (!readComma(reader)) break
    const value = readText(reader, LISTED_VALUE)
    match(reader, SPACE)
    if (value === undefined || !(isNext(reader, ',') || isAtEnd(reader))) {
      // What follows the comma is the next key.
      reader.at = before
      break
    }
    values.push(value)
  }
  return values.length === 1 ? (values[0] ?? '') : values
}

function readNested(reader: Reader): Shorthand {
  if (skip(reader, '[')) {
    const items: Shorthand[] = []
    match(reader, SPACE)
    while (!skip(reader, ']')) {
      items.push(readNested(reader))
      if (!readComma(reader) && !isNext(reader, ']')) refuse(reader, "',' or ']'")
    }
    return items
  }
  if (skip(reader, '{')) {
    const members = new Map<string, Shorthand>()
    match(reader, SPACE)
    while (!skip(reader, '}')) {
      const key = readKey(reader, members)
      members.set(key, readNested(reader))
      if (!readComma(reader) && !isNext(reader, '}')) refuse(reader, "',' or '}'")
    }
    return members
  }
  return readText(reader, VALUE) ?? ''
}

function readText(reader: Reader, pattern: RegExp): string | undefined {
  const quoted = match(reader, QUOTED)
  if (quoted !== undefined) {
    const quote = quoted.charAt(0)
    return quoted.slice(1, -1).replaceAll(`\\${quote}`, quote).replaceAll('\\\\', '\\')
  }
  return match(reader, pattern)?.replaceAll('\\,', ',').trimEnd()
}

function readComma(reader: Reader): boolean {
  match(reader, SPACE)
  if (!skip(reader, ',')) return false
  match(reader, SPACE)
  return true
}

function match(reader: Reader, pattern: RegExp): string | undefined {
  pattern.lastIndex = reader.at
  const found = pattern.exec(reader.text)?.[0]
  reader.at += found?.length ?? 0
  return found
}

function skip(reader: Reader, character: string): boolean {
  if (!isNext(reader, character)) return false
  reader.at += 1
  return true
}

function isNext({ text, at }: Reader, character: string): boolean {
  return text.charAt(at) === character
}

function isAtEnd({ text, at }: Reader): boolean {
  return at >= text.length
}

function refuse({ at }: Reader, expected: string): never {
  misused(`expected ${expected} at character ${at + 1} of the value`)
}

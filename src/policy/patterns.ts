/**
 * Texts with wildcards and policy variables, as they stand in `Action`, `Resource` and conditions.
 *
 * A pattern is a row of UTF-16 units, with negative numbers for wildcards. The value of a variable
 * is put in as units, so that nothing in it is ever a wildcard.
 */

import { readerOfKey } from './condition-keys.ts'
import { fits, MANY, MANY_WITHIN, ONE, ONE_WITHIN } from './patterns/units.ts'
import type { PolicyRequest, Reader } from './request.ts'

/** A variable in a text: `${aws:username}`, `${aws:PrincipalTag/team, 'none'}`. */
interface Variable {
  readonly read: Reader
  readonly otherwise?: string
}

/** A piece of a text whose value is known: as it stands, or a wildcard's number. */
type KnownPiece = string | number
/** A piece of a text. */
type Piece = KnownPiece | Variable

/** A text of a policy, taken to pieces. */
export interface Template {
  readonly pieces: readonly Piece[]
}

/** How a text of a policy is read. */
export interface TemplateRules {
  /** Whether `${…}` is a variable: from version 2012-10-17 on. */
  readonly variables: boolean
  /** What `*` and `?` mean, if anything. */
  readonly wildcards: 'none' | 'any' | 'arn'
  /** Refuses the policy for what is wrong with the text. */
  readonly refuse: (what: string) => never
}

/** How long texts may be that are searched for: at the worst one costs its length for each unit. */
const SEARCHED_LENGTH_MAX = 128
// ${name}, ${name, 'default'}.
const VARIABLE = /\$\{\s*[^,'{}\s][^,'{}]*(?:,\s*'([^']*)'\s*)?\}/y

/** Takes a text to pieces. */
export function parseTemplate(
  text: string,
  { variables, wildcards, refuse }: TemplateRules,
): Template {
  const pieces: Piece[] = []
  let plain = ''
  const push = (piece: Piece): void => {
    if (plain !== '') pieces.push(plain)
    plain = ''
    pieces.push(piece)
  }
  for (let at = 0; at < text.length; ) {
    const character = text.charAt(at)
    if (variables && text.startsWith('${', at)) {
      VARIABLE.lastIndex = at
      const [whole, otherwise] = VARIABLE.exec(text) ?? refuse(`"${text}" has a malformed variable`)
      at += whole.length
      // ${*}, ${?} and ${$} stand for the character.
      if (whole.length === 4 && '*?$'.includes(whole.charAt(2))) {
        plain += whole.charAt(2)
        continue
      }
      // Without a comma it is found at -1: that is where the brace stands.
      const key = whole.slice(2, whole.indexOf(',')).trim()
      const read = readerOfKey(key) ?? refuse(`"${key}" is not the name of a variable`)
      push({ read, otherwise })
      continue
    }
    at += 1
    const wildcard = wildcardOf(character, text[at], wildcards)
    if (wildcard === undefined) plain += character
    // A second asterisk says nothing more, and would cost time.
    else if (character !== '*' || text[at] !== '*') push(wildcard)
  }
  if (plain !== '') pieces.push(plain)
  return { pieces }
}

function wildcardOf(
  character: string,
  next: string | undefined,
  wildcards: TemplateRules['wildcards'],
): number | undefined {
  if (wildcards === 'none') return undefined
  if (character === '?') return wildcards === 'arn' ? ONE_WITHIN : ONE
  if (character !== '*') return undefined
  // At the end of a part of an ARN an asterisk reaches beyond the colon, elsewhere it does not.
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
  return wildcards === 'any' || next === undefined || next === ':' ? MANY : MANY_WITHIN
}

/** The text of a template without wildcards; `undefined` if a variable has no value. */
export function textOf({ pieces }: Template, request?: PolicyRequest): string | undefined {
  let text = ''
  for (const piece of pieces) {
    const part = typeof piece === 'object' ? request && variableValue(piece, request) : piece
    if (part === undefined) return undefined
    text += part
  }
  return text
}

/** A list is no value: keys that can have several cannot be variables. */
function variableValue({ read, otherwise }: Variable, request: PolicyRequest): string | undefined {
  const value = read(request)
  return typeof value === 'string' ? value : value === undefined ? otherwise : undefined
}

/** Whether a text fits; `undefined` if a variable has no value, so that nothing can be said. */
export type Matcher = (text: string, request?: PolicyRequest) => boolean | undefined

/** Makes the test of a template. */
export function matcherOf({ pieces }: Template): Matcher {
  const fixed = withValues(pieces)
  if (fixed) return matcherOfFixed(fixed)
  return (text, request) => {
    const known = withValues(pieces, request)
    // Values may be long, and be there many times: what cannot fit is not made.
    return known && lengthOf(known) <= text.length && matcherOfFixed(known)(text)
  }
}

function matcherOfFixed(pieces: readonly KnownPiece[]): Matcher {
  const texts = textsBetween(pieces)
  if (texts?.every(({ length }) => length <= SEARCHED_LENGTH_MAX)) return inOrder(texts)
  const [first] = pieces
  // Most texts differ where they begin or end, which is quickly seen.
  const prefix = typeof first === 'string' ? first : ''
  const last = pieces.at(-1)
  const suffix = typeof last === 'string' ? last : ''
  const units = unitsOf(prefix === '' ? pieces : pieces.slice(1))
  const least = lengthOf(pieces)
  return (text) => {
    if (text.length < least || !text.startsWith(prefix) || !text.endsWith(suffix)) return false
    return fits(units, text, prefix.length)
  }
}

/** The texts before, between and after the asterisks, if there is no other wildcard. */
function textsBetween(pieces: readonly KnownPiece[]): readonly string[] | undefined {
  let text = ''
  const texts: string[] = []
  for (const piece of pieces) {
    if (typeof piece === 'string') text += piece
    else if (piece === MANY) {
      texts.push(text)
      text = ''
    } else return undefined
  }
  return [...texts, text]
}

/** The usual case, several times as fast: each text is taken where it first occurs. */
function inOrder([first = '', ...others]: readonly string[]): Matcher {
  const last = others.pop()
  if (last === undefined) return (text) => text === first
  return (text) => {
    if (!text.startsWith(first) || !text.endsWith(last)) return false
    let at = first.length
    for (const middle of others) {
      const foundAt = text.indexOf(middle, at)
      if (foundAt < 0) return false
      at = foundAt + middle.length
    }
    return at <= text.length - last.length
  }
}

/** The pieces with the values of their variables; `undefined` if one has none. */
function withValues(
  pieces: readonly Piece[],
  request?: PolicyRequest,
): readonly KnownPiece[] | undefined {
  const known: KnownPiece[] = []
  for (const piece of pieces) {
    const value = typeof piece === 'object' ? request && variableValue(piece, request) : piece
    if (value === undefined) return undefined
    known.push(value)
  }
  return known
}

/** How many units of a text the pieces take at least. */
function lengthOf(pieces: readonly KnownPiece[]): number {
  let length = 0
  for (const piece of pieces) {
    if (typeof piece === 'string') length += piece.length
    else if (piece === ONE || piece === ONE_WITHIN) length += 1
  }
  return length
}

function unitsOf(pieces: readonly KnownPiece[]): readonly number[] {
  const units: number[] = []
  for (const piece of pieces) {
    if (typeof piece === 'number') units.push(piece)
    else for (let at = 0; at < piece.length; at += 1) units.push(piece.charCodeAt(at))
  }
  return units
}

/**
 * Takes the template of an ARN apart at the first five colons that the policy itself has.
 *
 * @returns `undefined` if it has not six parts.
 */
export function arnParts({ pieces }: Template): Template[] | undefined {
  let last: Piece[] = []
  const parts = [last]
  for (const piece of pieces) {
    const texts = typeof piece === 'string' ? piece.split(':') : [piece]
    for (const [index, text] of texts.entries()) {
      if (index > 0 && parts.length === 6) last.push(':')
      else if (index > 0) {
        last = []
        parts.push(last)
      }
      if (text !== '') last.push(text)
    }
  }
  if (parts.length < 6) return undefined
  return parts.map((each) => ({ pieces: each }))
}

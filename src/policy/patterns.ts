/**
 * Texts with wildcards and policy variables, as they stand in `Action`, `Resource` and conditions.
 *
 * A pattern is a row of UTF-16 units, with negative numbers for wildcards. The value of a variable
 * is put in as units, so that nothing in it is ever a wildcard.
 */

import { readerOfKey } from './condition-keys.ts'
import type { PolicyRequest, Reader } from './request.ts'

/** A variable in a text: `${aws:username}`, `${aws:PrincipalTag/team, 'none'}`. */
interface Variable {
  readonly read: Reader
  readonly otherwise?: string
}

/** A piece of a text: as it stands, a wildcard's number, or a variable. */
type Piece = string | number | Variable

/** A text of a policy, taken to pieces. */
export interface Template {
  readonly pieces: readonly Piece[]
  /** Whether its value depends on the request. */
  readonly isVariable: boolean
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

/** Any number of units. */
const MANY = -1
/** One unit. */
const ONE = -2
/** Any number of units but no colon: it ends before the next part of an ARN. */
const MANY_WITHIN = -3
/** One unit but no colon. */
const ONE_WITHIN = -4

const COLON = 0x3a
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
  return { pieces, isVariable: pieces.some((piece) => typeof piece === 'object') }
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
export function matcherOf({ pieces, isVariable }: Template): Matcher {
  if (isVariable) {
    return (text, request) => {
      const units = unitsOf(pieces, request)
      return units && fits(units, text)
    }
  }
  const texts = textsBetween(pieces)
  if (texts) return inOrder(texts)
  const [first] = pieces
  // Most texts differ where they begin or end, which is quickly seen.
  const prefix = typeof first === 'string' ? first : ''
  const last = pieces.at(-1)
  const suffix = typeof last === 'string' ? last : ''
  const units = unitsOf(prefix === '' ? pieces : pieces.slice(1))
  return (text) => {
    if (!text.startsWith(prefix) || !text.endsWith(suffix)) return false
    return units && fits(units, text, prefix.length)
  }
}

/** The texts before, between and after the asterisks, if there is no other wildcard. */
function textsBetween(pieces: readonly Piece[]): readonly string[] | undefined {
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

function unitsOf(pieces: readonly Piece[], request?: PolicyRequest): number[] | undefined {
  const units: number[] = []
  for (const piece of pieces) {
    if (typeof piece === 'number') {
      units.push(piece)
      continue
    }
    const text = typeof piece === 'string' ? piece : request && variableValue(piece, request)
    if (text === undefined) return undefined
    for (let at = 0; at < text.length; at += 1) units.push(text.charCodeAt(at))
  }
  return units
}

/**
 * Whether a text fits a row of units from a place on: in time of their product at most, since only
 * the last asterisk of each kind can need another try. One that stays within its part of an ARN is
 * given up at the colon for the last one that does not.
 */
function fits(units: readonly number[], text: string, from = 0): boolean {
  let unit = 0
  let at = from
  let many = -1
  let manyAt = 0
  let within = -1
  let withinAt = 0
  for (;;) {
    const wanted = units[unit]
    if (wanted === MANY) {
      many = unit
      manyAt = at
      within = -1
      unit += 1
      if (unit === units.length) return true
    } else if (wanted === MANY_WITHIN) {
      within = unit
      withinAt = at
      unit += 1
    } else if (at < text.length && wanted !== undefined && isUnit(wanted, text.charCodeAt(at))) {
      unit += 1
      at += 1
    } else if (at === text.length && wanted === undefined) {
      return true
    } else if (within >= 0 && withinAt < text.length && text.charCodeAt(withinAt) !== COLON) {
      withinAt += 1
      at = withinAt
      unit = within + 1
    } else if (many >= 0 && manyAt < text.length) {
      within = -1
      manyAt += 1
      at = manyAt
      unit = many + 1
    } else {
      return false
    }
  }
}

function isUnit(wanted: number, unit: number): boolean {
  return wanted === unit || wanted === ONE || (wanted === ONE_WITHIN && unit !== COLON)
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
  return parts.map((each) => ({
    pieces: each,
    isVariable: each.some((piece) => typeof piece === 'object'),
  }))
}

/** The small faults of a regular expression: an anchor that is missing, one repetition too many. */

/** A piece of a pattern: an escape, the beginning of a class or group, a quantifier, a character. */
const PIECE = /\\u[0-9a-fA-F]{4}|\\.|\(\?[:=!]|\[\^?|\{[0-9,]+\}|./gsu

const QUANTIFIERS: Readonly<Record<string, readonly string[]>> = {
  '*': ['+'],
  '+': ['*', ''],
  '?': [''],
}

const ESCAPES: Readonly<Record<string, string>> = { '\\w': '\\W', '\\s': '\\S', '\\d': '\\D' }

/** Other spellings of a literal, each with one fault. */
export function regexFaults(literal: string): string[] {
  const end = literal.lastIndexOf('/')
  const flags = literal.slice(end + 1)
  const pieces: readonly string[] = literal.slice(1, end).match(PIECE) ?? []
  const faults = [...flags].map((flag) => `/${pieces.join('')}/${flags.replace(flag, '')}`)
  let inClass = false
  for (const [index, piece] of pieces.entries()) {
    for (const put of inClass ? insteadInClass(piece) : insteadOf(piece)) {
      faults.push(`/${pieces.with(index, put).join('')}/${flags}`)
    }
    if (piece.startsWith('[') && !inClass) inClass = true
    else if (piece === ']') inClass = false
  }
  return faults
}

function insteadOf(piece: string): readonly string[] {
  if (piece === '^' || piece === '$') return ['']
  if (piece === '[') return ['[^']
  if (piece === '[^') return ['[']
  // {2} or {1,64}: once, and any number of times.
  if (/^\{[0-9]/.test(piece)) return ['', '*']
  return QUANTIFIERS[piece] ?? insteadInClass(piece)
}

function insteadInClass(piece: string): readonly string[] {
  const put = ESCAPES[piece]
  return put === undefined ? [] : [put]
}

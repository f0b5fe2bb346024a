/** The mutants of the matching of patterns that change nothing that anybody could see. */

import type { Equivalent } from './equivalent.ts'

/** Those of one line, each as what was there and what was put. */
function inLine(
  file: string,
  text: string,
  why: string,
  faults: readonly (readonly [string, string])[],
): Equivalent[] {
  return faults.map(([was, put]) => ({ file, text, was, put, why }))
}

/** Those that the mutation test does not count. */
export const EQUIVALENT_IN_PATTERNS: readonly Equivalent[] = [
  ...inLine(
    'patterns/units.ts',
    'export const ONE_WITHIN = -4',
    'Any number will do that no other wildcard has.',
    [['4', '(4 + 1)']],
  ),
  ...inLine('patterns.ts', "if (plain !== '') pieces.push(plain)", 'An empty piece says nothing.', [
    ["plain !== ''", 'true'],
    ["''", "'mutated'"],
  ]),
  ...inLine(
    'patterns.ts',
    'for (let at = 0; at < text.length; ) {',
    'Behind the last character is an empty one.',
    [['<', '<=']],
  ),
  ...inLine(
    'patterns.ts',
    "else if (character !== '*' || text[at] !== '*') push(wildcard)",
    'A second asterisk says nothing more.',
    [
      ["character !== '*' || text[at] !== '*'", 'true'],
      ["'*'", "''"],
    ],
  ),
  ...inLine(
    'patterns.ts',
    "const prefix = typeof first === 'string' ? first : ''",
    'The units hold it too: this only spares most of them.',
    [
      ["typeof first === 'string'", 'false'],
      ["'string'", "''"],
    ],
  ),
  ...inLine(
    'patterns.ts',
    "const suffix = typeof last === 'string' ? last : ''",
    'The units hold it too: this only spares most of them.',
    [
      ["typeof last === 'string'", 'false'],
      ["'string'", "''"],
    ],
  ),
  ...inLine('patterns/units.ts', 'let many = -1', 'Any number below zero will do.', [
    ['1', '(1 + 1)'],
  ]),
  ...inLine('patterns/units.ts', 'let within = -1', 'Any number below zero will do.', [
    ['1', '(1 + 1)'],
  ]),
  ...inLine('patterns/units.ts', 'let manyAt = 0', 'It is set before it is read.', [
    ['0', '(0 + 1)'],
  ]),
  ...inLine('patterns/units.ts', 'let withinAt = 0', 'It is set before it is read.', [
    ['0', '(0 + 1)'],
  ]),
  ...inLine(
    'patterns.ts',
    'if (texts && areShort(texts)) return inOrder(texts)',
    'The other way of matching says the same: this one is only faster.',
    [['texts && areShort(texts)', 'false']],
  ),
  ...inLine(
    'patterns.ts',
    "if (typeof piece === 'string') text += piece",
    'The other way of matching says the same: this one is only faster.',
    [
      ["typeof piece === 'string'", 'false'],
      ["'string'", "''"],
      ['+=', '-='],
    ],
  ),
  ...inLine(
    'patterns.ts',
    'else if (piece === MANY) {',
    'The other way of matching says the same: this one is only faster.',
    [['piece === MANY', 'false']],
  ),
  ...inLine(
    'patterns.ts',
    'return [...texts, text]',
    'The other way of matching says the same: this one is only faster.',
    [['[...texts, text]', 'undefined']],
  ),
  ...inLine(
    'patterns.ts',
    "function inOrder([first = '', ...others]: readonly string[]): Matcher {",
    'There is always a first text.',
    [["''", "'mutated'"]],
  ),
  ...inLine(
    'patterns.ts',
    'const SEARCHED_LENGTH_MAX = 128',
    'Both ways of matching say the same: only how fast they are depends on it.',
    [['128', '(128 + 1)']],
  ),
  ...inLine(
    'patterns.ts',
    'if (fixed) return matcherOfFixed(fixed)',
    'It would be made anew for each text: this only spares that.',
    [['fixed', 'false']],
  ),
  ...inLine(
    'patterns.ts',
    'if (texts?.every(({ length }) => length <= SEARCHED_LENGTH_MAX)) return inOrder(texts)',
    'Both ways of matching say the same: only how fast they are depends on it.',
    [
      ['texts?.every(({ length }) => length <= SEARCHED_LENGTH_MAX)', 'false'],
      ['every', 'some'],
      ['length <= SEARCHED_LENGTH_MAX', 'undefined'],
      ['<=', '<'],
      ['<=', '>'],
    ],
  ),
  ...inLine(
    'patterns.ts',
    'else if (piece === ONE || piece === ONE_WITHIN) length += 1',
    'What is too long for a text does not fit it: this only spares looking.',
    [
      ['piece === ONE || piece === ONE_WITHIN', 'false'],
      ['||', '&&'],
      ['length += 1', ';'],
      ['+=', '-='],
    ],
  ),
  ...inLine(
    'patterns/units.ts',
    'const PATIENCE = 4',
    'Both ways of matching say the same: only how fast they are depends on it.',
    [['4', '(4 + 1)']],
  ),
  ...inLine(
    'patterns/units.ts',
    'const steps = patience * (units.length + text.length - from)',
    'Both ways of matching say the same: only how fast they are depends on it.',
    [
      ['*', '/'],
      ['-', '+'],
      ['+', '-'],
    ],
  ),
  ...inLine(
    'patterns/units.ts',
    'for (let left = steps; left > 0; left -= 1) {',
    'Both ways of matching say the same: only how fast they are depends on it.',
    [
      ['left > 0', 'false'],
      ['>', '>='],
      ['0', '(0 + 1)'],
      ['>', '<='],
      ['1', '(1 + 1)'],
    ],
  ),
  ...inLine(
    'patterns/units.ts',
    'const first = Math.max(0, length - (text.length - at)) >> 5',
    'From those below it the end is out of reach: this only spares them.',
    [
      ['0', '(0 + 1)'],
      ['-', '+'],
      ['5', '(5 + 1)'],
    ],
  ),
  ...inLine(
    'patterns/units.ts',
    'const last = Math.min(length, at - from + 1) >> 5',
    'None above it is reached: this only spares looking.',
    [
      ['-', '+'],
      ['1', '(1 + 1)'],
    ],
  ),
  ...inLine(
    'patterns/units.ts',
    'return new Int32Array((length >> 5) + 1)',
    'More room than is needed changes nothing.',
    [
      ['1', '(1 + 1)'],
      ['>>', '<<'],
    ],
  ),
  ...inLine(
    'patterns/units.ts',
    'const here = reached[word] ?? 0',
    'There is a word for every place: only the compiler does not know.',
    [['0', '(0 + 1)']],
  ),
  ...inLine(
    'patterns/units.ts',
    'reached[word] = (taken << 1) | carried | (here & (stays[word] ?? 0))',
    'There is a word for every place: only the compiler does not know.',
    [['0', '(0 + 1)']],
  ),
  ...inLine(
    'patterns/units.ts',
    'for (const [word, bits] of others.entries()) known[word] = (known[word] ?? 0) | bits',
    'There is a word for every place: only the compiler does not know.',
    [['0', '(0 + 1)']],
  ),
  ...inLine(
    'patterns/units.ts',
    'places[word] = (places[word] ?? 0) | (1 << (place & 31))',
    'There is a word for every place: only the compiler does not know.',
    [['0', '(0 + 1)']],
  ),
  ...inLine(
    'patterns/units.ts',
    'return ((places[place >> 5] ?? 0) & (1 << (place & 31))) !== 0',
    'There is a word for every place: only the compiler does not know.',
    [['0', '(0 + 1)']],
  ),
]

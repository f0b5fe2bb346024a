/** The mutants that change nothing that anybody could see, each with the reason. */

/** A mutant, as the mutation test names it. */
export interface Equivalent {
  readonly file: string
  readonly text: string
  readonly was: string
  readonly put: string
  readonly why: string
}

/** Those that the mutation test does not count. */
export const EQUIVALENT: readonly Equivalent[] = [
  {
    file: 'conditions.ts',
    text: "if (typeof found === 'string' && over === undefined) return holds(found, request)",
    was: "typeof found === 'string' && over === undefined",
    put: 'false',
    why: 'One value is a list of one: this only spares making it.',
  },
  {
    file: 'conditions.ts',
    text: "if (typeof found === 'string' && over === undefined) return holds(found, request)",
    was: "'string'",
    put: "''",
    why: 'One value is a list of one: this only spares making it.',
  },
  {
    file: 'default-policy.ts',
    text: "const request = { ...asked, action: 'kms:PutKeyPolicy', grantable: false }",
    was: 'false',
    put: 'true',
    why: 'No grant is asked here.',
  },
  {
    file: 'evaluate.ts',
    text: 'const NEEDS = { nothing: 0, limits: 1, identity: 2 } as const',
    was: '2',
    put: '(2 + 1)',
    why: 'Only the order of the three matters.',
  },
  {
    file: 'evaluate.ts',
    text: 'if (given?.needs === NEEDS.nothing) return given',
    was: 'given?.needs === NEEDS.nothing',
    put: 'false',
    why: 'No grant needs less than nothing: this only spares asking them.',
  },
  {
    file: 'evaluate.ts',
    text: 'if (standing === STANDING.self) break',
    was: 'standing === STANDING.self',
    put: 'false',
    why: 'Nothing stands above it: this only spares looking further.',
  },
  {
    file: 'evaluate.ts',
    text: 'if (standing === STANDING.self) break',
    was: 'break',
    put: ';',
    why: 'Nothing stands above it: this only spares looking further.',
  },
  {
    file: 'grants.ts',
    text: 'if (context.get(name) === value) return true',
    was: 'context.get(name) === value',
    put: 'false',
    why: 'The search finds the same pair: this only spares it.',
  },
  {
    file: 'json.ts',
    text: 'const SPACE = /[ \\t\\n\\r]*/y',
    was: '/[ \\t\\n\\r]*/y',
    put: '/[ \\t\\n\\r]+/y',
    why: 'Where there is no space, nothing is passed either way.',
  },
  {
    file: 'principals.ts',
    text: 'export const STANDING = { none: 0, account: 1, role: 2, self: 3 } as const',
    was: '3',
    put: '(3 + 1)',
    why: 'Only the order of the four matters.',
  },
  {
    file: 'operators/address.ts',
    text: "const [head = '', tail] = text.split('::')",
    was: "''",
    put: "'mutated'",
    why: 'A text has a part before its first mark, if only an empty one.',
  },
  {
    file: 'operators/arn.ts',
    text: "const part = matches(values?.[index] ?? '', request)",
    was: "''",
    put: "'mutated'",
    why: 'What is no ARN does not match, whatever its parts; whether a variable has a value does not depend on them.',
  },
  {
    file: 'operators/date.ts',
    text: "const [whole, year, month = '01', day = '01', time, zone = 'Z'] = DATE.exec(text) ?? []",
    was: "'Z'",
    put: "''",
    why: 'Neither has hours or minutes.',
  },
  {
    file: 'operators/date.ts',
    text: "const [whole, hour, minute, second = '00', fraction = '0'] = TIME.exec(text) ?? []",
    was: "'00'",
    put: "''",
    why: 'As a number it is zero too.',
  },
  {
    file: 'operators/date.ts',
    text: "const [whole, hour, minute, second = '00', fraction = '0'] = TIME.exec(text) ?? []",
    was: "'0'",
    put: "''",
    why: 'As a number it is zero too.',
  },
  {
    file: 'statements.ts',
    text: 'bounded = false,',
    was: 'false',
    put: 'true',
    why: 'Only denials can leave somebody out, and those are asked with it given.',
  },
  {
    file: 'statements.ts',
    text: "const rules = { variables: false, wildcards: 'any', refuse: refusalAt(place) } as const",
    was: 'false',
    put: 'true',
    why: 'An action cannot have the characters of a variable.',
  },
  {
    file: 'statements.ts',
    text: "const rules = { variables: false, wildcards: 'any', refuse: refusalAt(place) } as const",
    was: "'any'",
    put: "''",
    why: 'An action has no colon behind its only one, which no other wildcard stands before.',
  },
  {
    file: 'statements.ts',
    text: "if (variables && text.slice(0, resourceAt).includes('${')) {",
    was: '0',
    put: '(0 + 1)',
    why: 'An ARN begins with a letter.',
  },
  {
    file: 'principals.ts',
    text: 'if (principals.uniqueIds.size > 0 && isAnyOf(principals.uniqueIds, caller)) {',
    was: '>',
    put: '>=',
    why: 'Of none the caller is none: this only spares asking.',
  },
]

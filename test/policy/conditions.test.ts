/** Conditions: each operator on values that match, that do not, and that are missing. */

import { describe, expect, test } from 'vitest'
import { allow, allows, caller, deny } from './ask.ts'
import { A, ALICE, APP, KEY } from './world.ts'

type Value = string | readonly string[] | undefined
type Operands = string | number | boolean | readonly (string | number | boolean)[]

/** Whether a condition on one key holds for a value, in an allowance. */
function holds(operator: string, operands: Operands, value: Value, key = 'kms:Any'): boolean {
  const conditions = new Map(value === undefined ? [] : [[key.toLowerCase(), value]])
  const Condition = { [operator]: { [key]: operands } }
  return allows({ key: [allow({ Principal: '*', Condition })] }, { conditions })
}

/** Whether it holds in a denial. */
function bites(operator: string, operands: Operands, value: Value, key = 'kms:Any'): boolean {
  const conditions = new Map(value === undefined ? [] : [[key.toLowerCase(), value]])
  const statements = [
    allow({ Principal: '*' }),
    deny({ Principal: '*', Condition: { [operator]: { [key]: operands } } }),
  ]
  return !allows({ key: statements }, { conditions })
}

/** An operator, operands, values that match and values that do not. */
type Row = readonly [string, Operands, readonly string[], readonly string[]]

const rows: readonly Row[] = [
  ['StringEquals', 'a*', ['a*'], ['a', 'ab', 'A*', 'a* ', '']],
  ['StringEquals', ['a', 'b'], ['a', 'b'], ['c', 'ab']],
  ['StringEquals', '', [''], ['a', ' ']],
  ['StringEqualsIgnoreCase', 'aB', ['ab', 'AB', 'aB'], ['a', 'abb', '']],
  ['StringLike', 'a*', ['a', 'ab', 'a*', 'a\nb'], ['b', 'A', '', 'ba']],
  ['StringLike', 'a*c', ['a:b:c', 'ac'], ['a:b', 'b:c']],
  ['StringLike', 'a?c', ['a:c', 'abc'], ['ac', 'a::c']],
  ['StringLike', 'aab*ab', ['aabab', 'aabxab'], ['aab', 'aaab', 'aabb']],
  ['StringLike', '*a?c*', ['abc', 'xxabcyy', 'aac', 'aabc'], ['ac', 'ab', '']],
  ['StringLike', '*ab*ab', ['abab', 'xabyab', 'ababab'], ['ab', 'aba', 'abaB']],
  ['StringLike', '**', ['', 'x'], []],
  ['StringLike', '?', ['x', '?', '*'], ['', 'xx']],
  ['NumericEquals', 10, ['10', '10.0', '1e1', '+10'], ['11', '', 'ten', '0x0a', '10 ']],
  ['NumericEquals', ['1', '2.5'], ['1', '2.50'], ['2']],
  ['NumericLessThan', '10', ['9.99', '-1'], ['10', '11', 'x', '']],
  ['NumericLessThanEquals', '10', ['10', '9'], ['10.01', 'x']],
  ['NumericGreaterThan', '-1.5', ['-1', '0'], ['-1.5', '-2', 'x']],
  ['NumericGreaterThanEquals', '.5', ['.5', '1'], ['0.49', 'x']],
  [
    'DateEquals',
    '2026-11-22T05:00:00Z',
    [
      '2026-11-22T05:00:00Z',
      '2026-11-22T06:00+01:00',
      '2026-11-22T04:30:00.000-00:30',
      '1795323600',
      '1795323600.0',
    ],
    [
      '2026-11-22T05:00:01Z',
      '2026-11-22',
      'now',
      '',
      '2026-11-22T05:00:00',
      '2026-13-01',
      '2026-02-30',
      '2026-11-22T5:00Z',
      '2026-11-22T05:00:00.Z',
      '2026-11-22T05Z',
    ],
  ],
  ['DateEquals', '2026', ['2026-01-01T00:00Z', '2026-01', '1767225600'], ['2026-01-02']],
  ['DateLessThan', '2026-11-22', ['2026-11-21T23:59:59.999Z', '0999999999'], ['2026-11-22', 'x']],
  ['DateLessThanEquals', '2026-11-22', ['2026-11-22T00:00Z'], ['2026-11-22T00:00:00.001Z']],
  ['DateGreaterThan', '2026-11-22', ['2026-11-22T00:00:00.001Z'], ['2026-11-22', 'x', '24:00']],
  [
    'DateGreaterThanEquals',
    1795323600,
    ['2026-11-22T05:00:00Z'],
    [
      '2026-11-22T04:59:59Z',
      '2026-11-22T24:00:00Z',
      '2026-11-22T23:60:00Z',
      '2027-01-01T00:00+24:00',
    ],
  ],
  ['Bool', true, ['true', 'TRUE'], ['false', '', 'yes', '1']],
  ['Bool', ['true', 'False'], ['true', 'false'], ['null']],
  ['BinaryEquals', 'aGVsbG8=', ['aGVsbG8='], ['aGVsbG8', 'hello', 'aGk=', '']],
  [
    'IpAddress',
    '10.1.2.0/31',
    ['10.1.2.0', '10.1.2.1', '::ffff:10.1.2.1'],
    ['10.1.2.2', '::1', ''],
  ],
  [
    'IpAddress',
    '10.1.2.3',
    ['10.1.2.3', '::ffff:a01:203'],
    ['10.1.2.4', '10.1.2.3/32', '010.1.2.3'],
  ],
  ['IpAddress', '10.1.2.3/8', ['10.255.0.1'], ['11.0.0.0']],
  ['IpAddress', '0.0.0.0/0', ['255.255.255.255'], ['::1']],
  ['IpAddress', '::/0', ['::1', '2001:db8::'], ['1.2.3.4', '::ffff:1.2.3.4']],
  [
    'IpAddress',
    '2001:DB8:1234:5678::/64',
    ['2001:db8:1234:5678::1', '2001:db8:1234:5678:ffff:ffff:ffff:ffff'],
    ['2001:db8:1234:5679::', 'fe80::1%eth0'],
  ],
  ['IpAddress', '::ffff:10.0.0.0/104', ['10.1.2.3', '::ffff:10.1.2.3'], ['11.0.0.0']],
  ['IpAddress', '1:2:3:4:5:6:7:8', ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:0.7.0.8'], ['1:2:3:4:5:6:7:9']],
  ['IpAddress', ['10.0.0.0/8', '::1'], ['10.0.0.1', '::1'], ['::2']],
  ['ArnEquals', ALICE, [ALICE], [`${ALICE}x`, 'alice', '']],
  [
    'ArnLike',
    'arn:*:iam::*:user/a*',
    [ALICE, 'arn:aws-cn:iam::1:user/a'],
    ['arn:aws:iam:x:1:user/a'],
  ],
  [
    'ArnLike',
    `arn:aws:x:*:${A}:finance/*`,
    [`arn:aws:x:eu:${A}:finance/a:b`],
    [`arn:aws:x:eu:999999999999:store/abc:${A}:finance/a`],
  ],
  [
    'ArnLike',
    `arn:aws:kms:*:${A}:alias/a:b*`,
    [`arn:aws:kms:eu:${A}:alias/a:b:c`],
    [`arn:aws:kms:eu:${A}:alias/a/b`, `arn:aws:kms:eu:${A}:alias/a`],
  ],
  [
    'ArnLike',
    `arn:aws:kms:*:${A}:alias/a*c`,
    [`arn:aws:kms:eu:${A}:alias/a:b:c`],
    [`arn:aws:kms:eu:${A}:alias/a:b`],
  ],
  ['ArnLike', 'arn:aws:iam:*:*:*', [ALICE], ['arn:aws:iam', 'arn:aws:iam::', 'arn:aws:iam']],
  ['ArnLike', '*', [ALICE, 'anything'], []],
  ['ArnEquals', 'arn:aws:iam::?:u', ['arn:aws:iam::1:u'], ['arn:aws:iam::11:u', 'arn:aws:iam:u']],
]

const NEGATED: Readonly<Record<string, string>> = {
  StringEquals: 'StringNotEquals',
  StringEqualsIgnoreCase: 'StringNotEqualsIgnoreCase',
  StringLike: 'StringNotLike',
  NumericEquals: 'NumericNotEquals',
  DateEquals: 'DateNotEquals',
  IpAddress: 'NotIpAddress',
  ArnEquals: 'ArnNotEquals',
  ArnLike: 'ArnNotLike',
}

describe.each(rows)('C2: %s %j', (operator, operands, matching, others) => {
  test('holds for what matches, and its negation for the rest', () => {
    const not = NEGATED[operator]
    for (const value of matching) {
      expect([value, holds(operator, operands, value)]).toEqual([value, true])
      if (not) expect([value, holds(not, operands, value)]).toEqual([value, false])
    }
    for (const value of others) {
      expect([value, holds(operator, operands, value)]).toEqual([value, false])
      if (not) expect([value, holds(not, operands, value)]).toEqual([value, true])
    }
  })
  test('without a value holds negated only, or if it need not exist', () => {
    const not = NEGATED[operator]
    expect(holds(operator, operands, undefined)).toBe(false)
    expect(holds(operator, operands, [])).toBe(false)
    expect(holds(`${operator}IfExists`, operands, undefined)).toBe(true)
    if (!not) return
    expect(holds(not, operands, undefined)).toBe(true)
    expect(holds(`${not}IfExists`, operands, undefined)).toBe(true)
    const [value] = matching
    expect(holds(`${not}IfExists`, operands, value)).toBe(false)
  })
})

describe('C2: set operators', () => {
  const cells: readonly [string, Operands, Value, boolean][] = [
    ['ForAllValues:StringEquals', ['a', 'b'], ['a', 'b'], true],
    ['ForAllValues:StringEquals', ['a', 'b'], ['a'], true],
    ['ForAllValues:StringEquals', ['a', 'b'], ['a', 'c'], false],
    ['ForAllValues:StringEquals', ['a', 'b'], 'a', true],
    ['ForAllValues:StringEquals', 'a', undefined, true],
    ['ForAllValues:StringEquals', 'a', [], true],
    ['ForAllValues:StringEquals', 'a', '', true],
    ['ForAllValues:StringEquals', 'a', [''], true],
    ['ForAllValues:StringEquals', 'a', ['', ''], false],
    ['ForAllValues:StringNotEquals', ['a', 'b'], ['c', 'd'], true],
    ['ForAllValues:StringNotEquals', ['a', 'b'], ['c', 'b'], false],
    ['ForAllValues:StringNotLike', 'key1*', ['key1:hr', 'key1:personnel'], false],
    ['ForAllValues:StringNotLike', 'key1*', ['key2:audit'], true],
    ['ForAllValues:StringNotLike', 'key1*', undefined, true],
    ['ForAnyValue:StringEquals', ['a', 'b'], ['c', 'b'], true],
    ['ForAnyValue:StringEquals', ['a', 'b'], ['c', 'd'], false],
    ['ForAnyValue:StringEquals', 'a', undefined, false],
    ['ForAnyValue:StringEquals', 'a', [], false],
    ['ForAnyValue:StringEquals', '', '', false],
    ['ForAnyValue:StringEqualsIfExists', 'a', undefined, true],
    ['ForAnyValue:StringNotEquals', ['a', 'b'], ['a', 'c'], true],
    ['ForAnyValue:StringNotEquals', ['a', 'b'], ['a', 'b'], false],
    ['ForAnyValue:StringNotEquals', 'a', undefined, false],
    ['ForAnyValue:StringLike', ['prod*', 'test'], ['alias/x', 'production'], true],
    ['ForAnyValue:NumericLessThan', 10, ['20', '5'], true],
    ['ForAllValues:NumericLessThan', 10, ['20', '5'], false],
    ['ForAnyValue:IpAddress', '10.0.0.0/8', ['::1', '10.0.0.1'], true],
    // Without one, over several values: all of them to allow.
    ['StringEquals', ['a', 'b'], ['a', 'b'], true],
    ['StringEquals', 'a', ['a'], true],
    ['StringEquals', 'a', ['a', 'b'], false],
    ['StringNotEquals', 'a', ['b', 'c'], true],
    ['StringNotEquals', 'a', ['b', 'a'], false],
  ]
  test.each(cells)('%s %j on %j: %s', (operator, operands, value, expected) => {
    expect(holds(operator, operands, value)).toBe(expected)
  })
  test('without one, over several values, one is enough to deny', () => {
    expect(bites('StringEquals', 'a', ['a', 'b'])).toBe(true)
    expect(bites('StringEquals', 'a', ['c', 'b'])).toBe(false)
    expect(bites('StringNotEquals', 'a', ['a', 'b'])).toBe(true)
    expect(bites('StringNotEquals', 'a', ['a', 'a'])).toBe(false)
  })
})

test.each([
  ['true', undefined, true],
  ['true', [], true],
  ['true', '', true],
  ['true', 'x', false],
  [true, ['x'], false],
  ['false', undefined, false],
  ['false', '', false],
  ['FALSE', 'x', true],
  [false, ['x', 'y'], true],
  [['true', 'false'], 'x', true],
] as [Operands, Value, boolean][])('C2: Null %j on %j: %s', (operands, value, expected) => {
  expect(holds('Null', operands, value)).toBe(expected)
})

describe('several', () => {
  const both = {
    StringEquals: { 'kms:A': 'a', 'KMS:b': ['b', 'c'] },
    Bool: { 'kms:C': 'true' },
  }
  const asked = (a: string, b: string, c: string) =>
    allows(
      { key: [allow({ Principal: '*', Condition: both })] },
      {
        conditions: new Map([
          ['kms:a', a],
          ['kms:b', b],
          ['kms:c', c],
        ]),
      },
    )
  test('operators and keys have all to hold, values need not', () => {
    expect(asked('a', 'c', 'true')).toBe(true)
    expect(asked('x', 'c', 'true')).toBe(false)
    expect(asked('a', 'x', 'true')).toBe(false)
    expect(asked('a', 'c', 'false')).toBe(false)
  })
  test('none is no condition', () => {
    expect(allows({ key: [allow({ Principal: '*', Condition: {} })] })).toBe(true)
  })
})

describe('C2: condition keys', () => {
  test('are the same whatever their case, names of tags and context pairs too', () => {
    expect(holds('StringEquals', 'x', 'x', 'KMS:encryptionCONTEXT:App')).toBe(true)
    expect(holds('StringEquals', 'x', 'x', 'aws:requesttag/Team')).toBe(true)
    const team = { StringEquals: { 'AWS:PrincipalTAG/tEAM': 'red' } }
    expect(allows({ key: [allow({ Principal: '*', Condition: team })] })).toBe(true)
  })
  test('aws:username is the name of a user without its path', () => {
    const dora = { ...caller.alice, arn: `arn:aws:iam::${A}:user/team/blue/dora` }
    const Condition = { StringEquals: { 'aws:username': 'dora' } }
    expect(allows({ key: [allow({ Principal: '*', Condition })] }, { caller: dora })).toBe(true)
  })
  test('that do not exist have no value', () => {
    expect(holds('StringLike', '*', undefined, 'kms:NoSuchKey')).toBe(false)
    expect(holds('Null', 'true', undefined, 'kms:NoSuchKey')).toBe(true)
  })

  /** What follows from the caller, whatever the request says. */
  const cells: readonly [string, Partial<Record<keyof typeof caller, string | undefined>>][] = [
    ['aws:PrincipalArn', { alice: ALICE, one: APP, root: caller.root.arn, service: undefined }],
    ['aws:PrincipalAccount', { alice: A, one: A, root: A, service: undefined }],
    [
      'aws:PrincipalType',
      { alice: 'User', one: 'AssumedRole', root: 'Account', service: undefined },
    ],
    ['aws:username', { alice: 'alice', one: undefined, root: undefined, service: undefined }],
    ['aws:userid', { alice: 'AIDAALICE0000001', one: 'AROAAPP000000001:one', root: A }],
    ['aws:PrincipalTag/team', { alice: 'red', one: 'blue', two: undefined }],
    ['aws:PrincipalTag', { alice: undefined }],
    ['kms:CallerAccount', { alice: A, one: A, service: A }],
    ['aws:SourceArn', { alice: undefined, service: KEY }],
    ['aws:SourceAccount', { alice: undefined, service: A }],
    ['aws:PrincipalIsAWSService', { alice: 'false', service: 'true' }],
    ['aws:ViaAWSService', { alice: 'false', one: 'false', service: 'true' }],
    ['aws:SourceIdentity', { alice: undefined, one: 'carol', two: undefined }],
    ['aws:MultiFactorAuthPresent', { alice: undefined, one: 'false', service: undefined }],
    ['aws:TokenIssueTime', { alice: undefined, one: '2026-01-01T00:00:00.000Z', root: undefined }],
    ['aws:PrincipalServiceName', { alice: undefined, service: 'backup.amazonaws.com' }],
  ]
  test.each(cells)('%s follows from the caller', (key, expected) => {
    for (const [who, value] of Object.entries(expected)) {
      const Condition =
        value === undefined ? { Null: { [key]: 'true' } } : { StringEquals: { [key]: value } }
      const asked = {
        caller: caller[who as keyof typeof caller],
        // What a request says of the caller is not believed.
        conditions: new Map(
          key.includes('/') || key.endsWith('Tag') ? [] : [[key.toLowerCase(), 'forged']],
        ),
      }
      expect([who, allows({ key: [allow({ Principal: '*', Condition })] }, asked)]).toEqual([
        who,
        true,
      ])
      const other = { StringEquals: { [key]: 'forged' } }
      expect(allows({ key: [allow({ Principal: '*', Condition: other })] }, asked)).toBe(false)
    }
  })
})

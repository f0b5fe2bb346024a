/**
 * Generated policies and requests over a small world, so that they often meet. A case follows from
 * its seed alone: making them piece by piece with fast-check would take longer than asking them.
 */

import type { Grant } from '../../src/model/grant.ts'
import type { PolicyRequest } from '../../src/policy/request.ts'
import type { EvidenceTexts } from './reference.ts'
import {
  A,
  ALIAS,
  ALICE,
  APP,
  actions,
  B,
  callers,
  KEY,
  KEY_OF_B,
  PROVIDER,
  principals,
  SERVICE,
  SESSION,
} from './world.ts'

/** A source of choices, the same for the same seed. */
export interface Choices {
  /** A number from 0 to below `count`. */
  readonly below: (count: number) => number
  /** One of the values, all alike. */
  readonly pick: <T>(values: readonly T[]) => T
  /** True so many times in a hundred. */
  readonly percent: (share: number) => boolean
}

/** Choices of a seed: mulberry32. */
export function choicesOf(seed: number): Choices {
  let state = seed >>> 0
  const below = (count: number): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % count
  }
  return {
    below,
    pick: <T>(values: readonly T[]) => values[below(values.length)] as T,
    percent: (share) => below(100) < share,
  }
}

/** How many cases are tried where so many are usual: fewer if KEYSLOT_POLICY_CASES asks for fewer. */
export function casesOf(usual: number): number {
  return Math.min(usual, Number(process.env.KEYSLOT_POLICY_CASES ?? usual))
}

/** One value, or a list of one to three. */
function oneOrFew<T>({ pick, percent, below }: Choices, values: readonly T[]): T | T[] {
  if (percent(50)) return pick(values)
  return Array.from({ length: 1 + below(3) }, () => pick(values))
}

const principalKinds = ['*', { Service: SERVICE }, { AWS: '*' }, { AWS: `arn:aws:iam::${A}:root` }]

const actionTexts = ['kms:Encrypt', 'KMS:decrypt', 'kms:*crypt', 'kms:?ecrypt', '*:get*', 'kms:*']

const resourceTexts = [
  '*',
  KEY,
  KEY,
  KEY_OF_B,
  `arn:aws:kms:*:${A}:key/*`,
  'arn:aws:kms:eu-*:*:*',
  `arn:aws:kms:eu-*-1:${A}:key/1234abcd-????-34cd-56ef-1234567890a?`,
  `arn:aws:kms:*:${A}:alias/\${aws:username}/*`,
  `arn:aws:kms:eu-central-1:${A}:alias/*/\${aws:PrincipalTag/odd, 'a'}:b`,
  `arn:aws:kms:eu-central-1:${A}:alias/\${aws:PrincipalTag/team}*`,
  `arn:aws:kms:eu-central-1:${A}:alias/a*ice/a?b`,
  `arn:aws:iam::${A}:user/\${aws:username}`,
]

/** Operators, with keys and values that fit them. */
interface ConditionWords {
  readonly operators: readonly string[]
  readonly keys: readonly string[]
  readonly values: readonly (string | boolean | number)[]
}

const ORDER = [
  'Equals',
  'NotEquals',
  'LessThan',
  'LessThanEquals',
  'GreaterThan',
  'GreaterThanEquals',
]

const conditionWords: readonly ConditionWords[] = [
  {
    operators: [
      'StringEquals',
      'StringNotEquals',
      'StringLike',
      'StringNotLike',
      'StringEqualsIgnoreCase',
      'StringNotEqualsIgnoreCase',
    ],
    keys: [
      'kms:EncryptionContext:App',
      'aws:PrincipalTag/team',
      'aws:TagKeys',
      'kms:ResourceAliases',
      'aws:username',
      'aws:userid',
      'aws:PrincipalAccount',
      'aws:PrincipalType',
      'aws:SourceIdentity',
      'kms:CallerAccount',
      'kms:Unknown',
    ],
    values: [
      'red',
      'RED',
      'a*',
      '*',
      'a?c',
      '',
      `\${aws:username}`,
      `\${aws:PrincipalTag/Team, 'red'}`,
      `\${aws:PrincipalTag/odd}`,
      `x\${*}`,
      `\${$}{\${?}`,
      A,
      'User',
      'AIDA*',
    ],
  },
  {
    operators: ORDER.map((each) => `Numeric${each}`),
    keys: ['kms:RotationPeriodInDays'],
    values: ['365', 365, '90.5', '-1', '1e2', 100],
  },
  {
    operators: ORDER.map((each) => `Date${each}`),
    keys: ['aws:CurrentTime', 'aws:EpochTime', 'aws:TokenIssueTime'],
    values: [
      '2026-11-22T05:00:00Z',
      '2026-11-22T06:00:00+01:00',
      '2026',
      '2026-11',
      1795323600,
      '1795323600.5',
    ],
  },
  {
    operators: ['Bool'],
    keys: [
      'aws:SecureTransport',
      'kms:GrantIsForAWSResource',
      'aws:PrincipalIsAWSService',
      'aws:ViaAWSService',
      'aws:MultiFactorAuthPresent',
    ],
    values: [true, false, 'TRUE'],
  },
  { operators: ['BinaryEquals'], keys: ['kms:Binary'], values: ['aGVsbG8=', 'aGk='] },
  {
    operators: ['IpAddress', 'NotIpAddress'],
    keys: ['aws:SourceIp'],
    values: ['10.0.0.0/8', '10.1.2.3', '2001:DB8::/32', '::1', '0.0.0.0/0', '10.1.2.0/31'],
  },
  {
    operators: ['ArnEquals', 'ArnLike', 'ArnNotEquals', 'ArnNotLike'],
    keys: ['aws:PrincipalArn', 'aws:SourceArn'],
    values: [
      ALICE,
      KEY,
      `arn:aws:iam::${A}:*`,
      `arn:*:iam::*:user/\${aws:username}`,
      '*',
      'arn:aws:*:*:*:*e',
    ],
  },
]

const nullKeys = ['aws:username', 'aws:TagKeys', 'kms:EncryptionContext:App', 'aws:SourceArn']

function condition(choices: Choices): Record<string, Record<string, unknown>> {
  const { pick, percent } = choices
  if (percent(10)) return { Null: { [pick(nullKeys)]: String(percent(50)) } }
  const { operators, keys, values } = pick(conditionWords)
  const key = pick(keys)
  // What AWS refuses is not a case.
  const isSingle = key.startsWith('kms:EncryptionContext:')
  const set = isSingle ? '' : pick(['', '', '', 'ForAllValues:', 'ForAnyValue:'])
  const ifExists = pick(['', '', 'IfExists'])
  return { [`${set}${pick(operators)}${ifExists}`]: { [key]: oneOrFew(choices, values) } }
}

function statement(choices: Choices, isOfResource: boolean): object {
  const { pick, percent } = choices
  const Effect = percent(12) ? 'Deny' : 'Allow'
  const who = percent(40) ? pick(principalKinds) : { AWS: oneOrFew(choices, principals) }
  const action = percent(60) ? pick(['*', 'kms:*', '*:*']) : oneOrFew(choices, actionTexts)
  const resource = percent(60) ? '*' : oneOrFew(choices, resourceTexts)
  const conditions = percent(65)
    ? {}
    : percent(80)
      ? condition(choices)
      : { ...condition(choices), ...condition(choices) }
  return {
    Effect,
    ...(!isOfResource
      ? {}
      : Effect === 'Deny' && percent(50)
        ? { NotPrincipal: who }
        : { Principal: who }),
    ...(percent(8) ? { NotAction: oneOrFew(choices, actionTexts) } : { Action: action }),
    ...(isOfResource && percent(4)
      ? {}
      : percent(8)
        ? { NotResource: oneOrFew(choices, resourceTexts) }
        : { Resource: resource }),
    ...(Object.keys(conditions).length > 0 ? { Condition: conditions } : {}),
  }
}

function document(choices: Choices, isOfResource: boolean): string {
  const { pick, below } = choices
  const version = pick(['2012-10-17', '2012-10-17', '2008-10-17', undefined])
  const statements = Array.from({ length: 1 + below(4) }, () => statement(choices, isOfResource))
  return JSON.stringify({
    ...(version ? { Version: version } : {}),
    Statement: statements.length === 1 ? statements[0] : statements,
  })
}

const contexts: readonly ReadonlyMap<string, string>[] = [
  new Map(),
  new Map([['App', 'red']]),
  new Map([
    ['app', 'red'],
    ['App', 'blue'],
  ]),
  new Map([
    ['aPP', 'red'],
    ['Stage', 'test'],
  ]),
]

const grantees = [
  { arn: ALICE, principalId: 'AIDAALICE0000001' },
  { arn: ALICE, principalId: 'AIDAALICE0000000' },
  { arn: APP, principalId: 'AROAAPP000000001' },
  { arn: SESSION },
  { arn: `arn:aws:iam::${A}:root` },
  { arn: `arn:aws:iam::${B}:root` },
  { arn: `arn:aws:iam::${B}:user/alice` },
  { arn: SERVICE },
]

function grant({ pick, below }: Choices): Grant {
  const constraints = [
    undefined,
    { encryptionContextSubset: pick(contexts) },
    { encryptionContextEquals: pick(contexts) },
  ]
  const operations = ['Encrypt', 'Decrypt', 'DescribeKey', 'CreateGrant'] as const
  return {
    grantId: '0'.repeat(64),
    keyId: '1234abcd-12ab-34cd-56ef-1234567890ab',
    name: '',
    grantee: pick(grantees),
    issuingAccount: `arn:aws:iam::${pick([A, A, B])}:root`,
    operations: Array.from({ length: 1 + below(3) }, () => pick(operations)),
    constraints: pick(constraints),
    createdMs: 0,
  }
}

const idTables: readonly ReadonlyMap<string, string>[] = [
  new Map(),
  new Map([
    [ALICE, 'AIDAALICE0000001'],
    [APP, 'AROAAPP000000001'],
  ]),
  // They were deleted and made again since the policy was put.
  new Map([
    [ALICE, 'AIDAALICE0000000'],
    [APP, 'AROAAPP000000000'],
    [SESSION, 'AROAAPP000000000'],
  ]),
]

/** All that speaks for or against, as texts. */
export function evidence(choices: Choices): EvidenceTexts {
  const { pick, percent, below } = choices
  const some = (share: number) =>
    percent(share) ? Array.from({ length: 1 + below(2) }, () => document(choices, false)) : []
  const [boundary] = some(25)
  return {
    resourcePolicy: percent(10)
      ? undefined
      : { text: document(choices, true), principalIds: pick(idTables) },
    identityPolicies: some(70),
    boundary,
    sessionPolicies: some(25),
    grants: percent(40) ? Array.from({ length: 1 + below(3) }, () => grant(choices)) : [],
  }
}

const resources = [
  { arn: KEY, account: A },
  { arn: KEY, account: A },
  { arn: KEY, account: A },
  { arn: KEY_OF_B, account: B },
  { arn: ALIAS, account: A },
  { arn: '*', account: A },
  { arn: ALICE, account: A },
]

const TIMES = ['2026-11-22T05:00:00Z', '2026-11-22T05:00:00.500Z', '2025-01-01T00:00:00Z']

/** What is asked. */
export function request(choices: Choices): PolicyRequest {
  const { pick, percent } = choices
  const context = pick(contexts)
  const app = [...context].filter(([name]) => name.toLowerCase() === 'app').map(([, text]) => text)
  const time = pick(TIMES)
  const values = {
    'aws:tagkeys': pick([undefined, [], [''], ['red'], ['red', 'abc'], ['RED', 'x*']]),
    'kms:resourcealiases': pick([undefined, ['alice'], ['a', 'red']]),
    'kms:rotationperiodindays': pick([undefined, '365', '100', '90.5', 'none']),
    'aws:currenttime': time,
    'aws:epochtime': String(Date.parse(time) / 1000),
    'aws:securetransport': pick(['true', 'false']),
    'kms:binary': pick([undefined, 'aGVsbG8=']),
    'aws:sourceip': pick([undefined, '10.1.2.3', '10.1.2.0', '192.168.0.1', '2001:db8::5', '::1']),
    'kms:encryptioncontext:app': app.length < 2 ? app[0] : app,
  }
  const conditions = new Map<string, string | readonly string[]>()
  for (const [key, value] of Object.entries(values)) if (value) conditions.set(key, value)
  return {
    caller: pick(callers),
    action: pick(actions),
    resource: pick(resources),
    conditions,
    encryptionContext: context,
    grantable: percent(70),
    ...(percent(3) ? { provider: PROVIDER } : {}),
  }
}

const ODD = [
  ...['*', '?', ' ', '/', ':', '-', '.', 'A', 'a', 'f', '0', '%', '%2d', '+', ''],
  ...['\u00e9', '\u0131', '\t', '\u0000'],
]

/** A text with one or two places changed, dropped or filled with something odd, or its case. */
export function alike(text: string, seed: number): string {
  const { below, pick, percent } = choicesOf(seed)
  let changed = text
  for (let count = 1 + below(2); count > 0; count -= 1) {
    const at = below(changed.length + 1)
    if (percent(30)) changed = changed.slice(0, at) + changed.slice(at + 1)
    else if (percent(40)) changed = changed.slice(0, at) + pick(ODD) + changed.slice(at + 1)
    else if (percent(50)) changed = changed.slice(0, at) + pick(ODD) + changed.slice(at)
    else changed = changed.slice(0, at) + changed.slice(at).toUpperCase()
  }
  return changed
}

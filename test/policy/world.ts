/** The small world of the generated cases: who is there, and what. */

import type { Caller } from '../../src/model/caller.ts'

/** The account of most keys. */
export const A = '111122223333'
/** Another account. */
export const B = '444455556666'
/** A key. */
export const KEY = `arn:aws:kms:eu-central-1:${A}:key/1234abcd-12ab-34cd-56ef-1234567890ab`
/** A key of the other account. */
export const KEY_OF_B = `arn:aws:kms:eu-central-1:${B}:key/1234abcd-12ab-34cd-56ef-1234567890ab`
/** An alias. */
export const ALIAS = `arn:aws:kms:eu-central-1:${A}:alias/alice/a:b`
/** A user. */
export const ALICE = `arn:aws:iam::${A}:user/alice`
/** A role. */
export const APP = `arn:aws:iam::${A}:role/team/app`
/** A session of the role. */
export const SESSION = `arn:aws:sts::${A}:assumed-role/app/one`
/** A service. */
export const SERVICE = 'backup.amazonaws.com'
/** An identity provider. */
export const PROVIDER = `arn:aws:iam::${A}:oidc-provider/id.example`

/** An odd name, which would be a pattern if it were not a value. */
const ODD = '*'

/** Everybody who asks. */
export const callers: readonly Caller[] = [
  { kind: 'root', account: A, arn: `arn:aws:iam::${A}:root`, principalId: A },
  { kind: 'root', account: B, arn: `arn:aws:iam::${B}:root`, principalId: B },
  {
    kind: 'user',
    account: A,
    arn: ALICE,
    principalId: 'AIDAALICE0000001',
    tags: new Map([
      ['Team', 'red'],
      ['odd', ODD],
    ]),
  },
  { kind: 'user', account: A, arn: `arn:aws:iam::${A}:user/bob`, principalId: 'AIDABOB000000001' },
  {
    kind: 'user',
    account: B,
    arn: `arn:aws:iam::${B}:user/alice`,
    principalId: 'AIDACAROL0000001',
    tags: new Map([['team', 'a?c']]),
  },
  {
    kind: 'role',
    account: A,
    arn: SESSION,
    roleArn: APP,
    principalId: 'AROAAPP000000001:one',
    tags: new Map([['team', 'blue']]),
    issuedMs: Date.parse('2026-01-01T00:00:00Z'),
    sourceIdentity: 'carol',
  },
  {
    kind: 'role',
    account: A,
    arn: `arn:aws:sts::${A}:assumed-role/app/two`,
    roleArn: APP,
    principalId: 'AROAAPP000000001:two',
  },
  {
    kind: 'role',
    account: B,
    arn: `arn:aws:sts::${B}:assumed-role/ops/one`,
    roleArn: `arn:aws:iam::${B}:role/ops`,
    principalId: 'AROAOPS000000001:one',
  },
  { kind: 'service', account: A, arn: SERVICE, principalId: SERVICE, sourceArn: KEY },
  { kind: 'keyslot', account: A, arn: 'keyslot' },
  { kind: 'service', account: B, arn: SERVICE, principalId: SERVICE },
]

/** Whom policies name. */
export const principals = [
  A,
  `arn:aws:iam::${A}:root`,
  `arn:aws:iam::${B}:root`,
  ALICE,
  `arn:aws:iam::${A}:user/bob`,
  `arn:aws:iam::${B}:user/alice`,
  APP,
  SESSION,
  `arn:aws:iam::${B}:role/ops`,
  'AIDAALICE0000001',
  'AROAAPP000000001',
]

/** What is asked. */
export const actions = [
  'kms:Encrypt',
  'kms:Decrypt',
  'kms:DescribeKey',
  'kms:CreateGrant',
  'iam:GetUser',
]

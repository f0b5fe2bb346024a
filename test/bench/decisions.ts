/**
 * What a decision costs: compiled policies and grants of a key as a company has them, asked by those
 * who use it and by those who may not.
 */

import type { Caller } from '../../src/model/caller.ts'
import type { Grant } from '../../src/model/grant.ts'
import { compilePolicy } from '../../src/policy/document.ts'
import { type Evidence, evaluate } from '../../src/policy/evaluate.ts'
import type { PolicyRequest } from '../../src/policy/request.ts'
import { median } from './report.ts'

/** What one kind of decision costs. */
export interface DecisionCost {
  readonly title: string
  /** CPU microseconds, the median of several rounds. */
  readonly us: number
}

const ACCOUNT = '111122223333'
const OTHER_ACCOUNT = '444455556666'
const KEY_ID = '1234abcd-12ab-34cd-56ef-1234567890ab'
const KEY = `arn:aws:kms:eu-central-1:${ACCOUNT}:key/${KEY_ID}`
const ROLES = ['orders', 'billing', 'reports', 'archive', 'search']

const WARM_DECISIONS = 100_000
const ROUNDS = 15
const DECISIONS_A_ROUND = 20_000

/** Measures; takes about a second. */
export function decisionCosts(): readonly DecisionCost[] {
  const evidence = evidenceOfCompany()
  const cases: readonly (readonly [string, PolicyRequest, boolean])[] = [
    ['allowed by the key policy', requestOf('uploads'), true],
    ['allowed by an identity policy', requestOf('batch'), true],
    ['allowed by a grant', requestOf('search'), true],
    ['denied by a condition', requestOf('uploads', false), false],
    ['allowed by nothing', requestOf('visitors'), false],
  ]
  return cases.map(([title, request, expected]) => {
    const own = request.caller.arn.includes('/batch/') ? evidence.withPolicy : evidence.alone
    if (evaluate(request, own).allowed !== expected) throw new Error(`not ${title}`)
    return { title: `${title}: 10 statements, 2 with conditions, 5 grants`, us: cost(request, own) }
  })
}

function cost(request: PolicyRequest, evidence: Evidence): number {
  run(request, evidence, WARM_DECISIONS)
  const rounds = Array.from({ length: ROUNDS }, () => {
    const before = process.cpuUsage()
    run(request, evidence, DECISIONS_A_ROUND)
    return process.cpuUsage(before).user / DECISIONS_A_ROUND
  })
  return median(rounds)
}

function run(request: PolicyRequest, evidence: Evidence, times: number): void {
  for (let at = 0; at < times; at += 1) evaluate(request, evidence)
}

function evidenceOfCompany(): { readonly alone: Evidence; readonly withPolicy: Evidence } {
  const resourcePolicy = { policy: compilePolicy(KEY_POLICY, 'key'), principalIds: IDS }
  const grants = ROLES.map(grantTo)
  const alone = { resourcePolicy, identityPolicies: [], sessionPolicies: [], grants }
  const policy = compilePolicy(IDENTITY_POLICY, 'identity')
  return { alone, withPolicy: { ...alone, identityPolicies: [{ name: 'keys', policy }] } }
}

const roleArn = (name: string, account = ACCOUNT) => `arn:aws:iam::${account}:role/${name}`
const roleId = (name: string) => `AROA${name.toUpperCase().padEnd(17, '0')}`

/** As the store has them for a policy that was put: each ARN with the id of who bore it then. */
const IDS = new Map(
  ['key-admins', 'uploads', 'auditors'].map((name) => [roleArn(name), roleId(name)]),
)

const USE = ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*']

const KEY_POLICY = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    allow('EnableIAMPolicies', { AWS: `arn:aws:iam::${ACCOUNT}:root` }, 'kms:*'),
    allow('Administrators', { AWS: roleArn('key-admins') }, [
      ...['kms:Create*', 'kms:Describe*', 'kms:Enable*', 'kms:List*', 'kms:Put*', 'kms:Update*'],
      ...['kms:Revoke*', 'kms:Disable*', 'kms:Get*', 'kms:Delete*', 'kms:TagResource'],
      ...['kms:UntagResource', 'kms:ScheduleKeyDeletion', 'kms:CancelKeyDeletion'],
    ]),
    allow('Partner', { AWS: roleArn('importer', OTHER_ACCOUNT) }, ['kms:Encrypt']),
    allow('Logs', { Service: 'logs.amazonaws.com' }, USE),
    allow('Auditors', { AWS: roleArn('auditors') }, ['kms:Describe*', 'kms:Get*', 'kms:List*']),
    allow('Backup', { Service: 'backup.amazonaws.com' }, [...USE, 'kms:CreateGrant']),
    allow('Users', { AWS: [roleArn('uploads'), roleArn('key-admins')] }, [
      ...USE,
      'kms:DescribeKey',
    ]),
    allow('Attach', { AWS: roleArn('uploads') }, ['kms:CreateGrant', 'kms:ListGrants'], {
      Bool: { 'kms:GrantIsForAWSResource': 'true' },
    }),
    {
      ...allow('OnlyOverTls', '*', 'kms:*', { Bool: { 'aws:SecureTransport': 'false' } }),
      Effect: 'Deny',
    },
    {
      ...allow('NobodyExports', { AWS: roleArn('visitors') }, 'kms:GenerateDataKey*'),
      Effect: 'Deny',
    },
  ],
})

const IDENTITY_POLICY = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: USE, Resource: `arn:aws:kms:*:${ACCOUNT}:key/*` }],
})

function allow(
  sid: string,
  principal: unknown,
  action: string | readonly string[],
  condition?: object,
): object {
  return {
    Sid: sid,
    Effect: 'Allow',
    Principal: principal,
    Action: action,
    Resource: '*',
    Condition: condition,
  }
}

function grantTo(name: string, index: number): Grant {
  return {
    grantId: String(index).padStart(64, '0'),
    keyId: KEY_ID,
    name,
    grantee: { arn: roleArn(name), principalId: roleId(name) },
    issuingAccount: `arn:aws:iam::${ACCOUNT}:root`,
    operations: ['Encrypt', 'Decrypt', 'GenerateDataKey'],
    constraints: { encryptionContextSubset: new Map([['purpose', 'documents']]) },
    createdMs: 0,
  }
}

function requestOf(role: string, secureTransport = true): PolicyRequest {
  const caller: Caller = {
    kind: 'role',
    account: ACCOUNT,
    arn: `arn:aws:sts::${ACCOUNT}:assumed-role/${role}/i-0123456789abcdef0`,
    roleArn: roleArn(role),
    principalId: `${roleId(role)}:i-0123456789abcdef0`,
    tags: new Map([['team', 'documents']]),
  }
  return {
    caller,
    action: 'kms:Encrypt',
    resource: { arn: KEY, account: ACCOUNT },
    conditions: new Map([['aws:securetransport', String(secureTransport)]]),
    encryptionContext: new Map([
      ['purpose', 'documents'],
      ['tenant', '0815'],
    ]),
    grantable: true,
  }
}

/** Scenarios that go through both doors: who may use a key, by grants, policies and tags. */

import type { RpcName } from '../../../src/service.ts'
import { aliasOfOwn, PLAN, type Scenario, type Step } from './scenario.ts'

const KEY = '$key.keyMetadata.keyId'
const NOBODY = 'arn:aws:iam::111122223333:user/nobody'
const ROOT = 'arn:aws:iam::111122223333:root'
const PAIRS = new Map([['team', 'blue']])
const OTHER_PAIRS = new Map([['team', 'red']])

const newKey: Step = { call: 'CreateKey', save: 'key' }
const onKey = (call: RpcName, request: Readonly<Record<string, unknown>> = {}): Step => ({
  call,
  request: { keyId: KEY, ...request },
})
const asNobody = (step: Step): Step => ({ ...step, as: 'nobody' })
const denied = (step: Step, says = /is not authorized to perform/): Step => ({
  ...asNobody(step),
  fails: 'AccessDeniedException',
  says,
})
const encrypting = onKey('Encrypt', { plaintext: PLAN })
const withPairs = (encryptionContext: ReadonlyMap<string, string>) =>
  onKey('Encrypt', { plaintext: PLAN, encryptionContext })
const granting = (request: Readonly<Record<string, unknown>>): Step => ({
  ...onKey('CreateGrant', { granteePrincipal: NOBODY, operations: ['Encrypt'], ...request }),
  save: 'grant',
})

/** A key policy: what the root may, and one more statement. */
const policy = (statement: object): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal: { AWS: ROOT }, Action: 'kms:*', Resource: '*' },
      { Effect: 'Allow', Principal: { AWS: NOBODY }, Resource: '*', ...statement },
    ],
  })

/** The scenarios. */
export const GRANT_SCENARIOS: readonly Scenario[] = [
  {
    name: 'a grant gives and ends',
    steps: [
      newKey,
      denied(encrypting),
      granting({ name: 'one' }),
      { ...granting({ name: 'one' }), save: 'again' },
      asNobody(encrypting),
      asNobody(onKey('Encrypt', { plaintext: PLAN, grantTokens: ['$grant.grantToken'] })),
      denied(onKey('GenerateDataKey', { keySpec: 'AES_256' })),
      onKey('ListGrants'),
      onKey('ListGrants', { granteePrincipal: NOBODY }),
      onKey('ListGrants', { granteePrincipal: ROOT }),
      denied(onKey('ListGrants')),
      denied(onKey('RevokeGrant', { grantId: '$grant.grantId' })),
      {
        ...onKey('RevokeGrant', { grantId: '$grant.grantId', dryRun: true }),
        fails: 'DryRunOperationException',
      },
      onKey('RevokeGrant', { grantId: '$grant.grantId' }),
      { ...onKey('RevokeGrant', { grantId: '$grant.grantId' }), fails: 'NotFoundException' },
      denied(encrypting),
      {
        ...asNobody(onKey('Encrypt', { plaintext: PLAN, grantTokens: ['$grant.grantToken'] })),
        fails: 'InvalidGrantTokenException',
      },
    ],
  },
  {
    name: 'a grant is bound to a context, and retired by whom it names',
    steps: [
      newKey,
      granting({
        constraints: { encryptionContextSubset: PAIRS },
        retiringPrincipal: NOBODY,
        operations: ['Encrypt', 'Decrypt'],
      }),
      { ...asNobody(withPairs(PAIRS)), save: 'sealed' },
      denied(withPairs(OTHER_PAIRS)),
      denied(encrypting),
      asNobody({
        call: 'Decrypt',
        request: { ciphertextBlob: '$sealed.ciphertextBlob', encryptionContext: PAIRS },
      }),
      denied(
        { call: 'Decrypt', request: { ciphertextBlob: '$sealed.ciphertextBlob' } },
        /^The ciphertext refers to a customer master key that does not exist/,
      ),
      { call: 'ListRetirableGrants', request: { retiringPrincipal: NOBODY } },
      asNobody({ call: 'RetireGrant', request: { grantToken: '$grant.grantToken' } }),
      {
        call: 'RetireGrant',
        request: { grantToken: '$grant.grantToken' },
        fails: 'InvalidGrantTokenException',
      },
      denied(withPairs(PAIRS)),
    ],
  },
  {
    name: 'grants that say what no grant may',
    steps: [
      newKey,
      { ...granting({ operations: ['Sign'] }), fails: 'ValidationException' },
      { ...granting({ operations: [] }), fails: 'ValidationException' },
      {
        ...granting({
          constraints: { encryptionContextEquals: new Map([['a', 'b'.repeat(385)]]) },
        }),
        fails: 'ValidationException',
      },
      {
        ...granting({ granteePrincipal: 'arn:aws:iam::111122223333:role/x' }),
        fails: 'InvalidArnException',
      },
    ],
  },
  {
    name: 'a key policy decides',
    steps: [
      newKey,
      onKey('GetKeyPolicy'),
      onKey('ListKeyPolicies'),
      denied(encrypting),
      onKey('PutKeyPolicy', { policy: policy({ Action: ['kms:Encrypt', 'kms:DescribeKey'] }) }),
      asNobody(encrypting),
      asNobody(onKey('DescribeKey')),
      denied(onKey('GenerateDataKey', { keySpec: 'AES_256' })),
      denied(onKey('PutKeyPolicy', { policy: policy({ Action: 'kms:*' }) })),
      onKey('PutKeyPolicy', { policy: policy({ Effect: 'Deny', Action: 'kms:Encrypt' }) }),
      denied(encrypting, /with an explicit deny in a resource-based policy$/),
      {
        ...onKey('PutKeyPolicy', { policy: policy({ Action: 'kms:*' }), policyName: 'other' }),
        fails: 'NotFoundException',
      },
      {
        ...onKey('PutKeyPolicy', { policy: '{"Version":"2012-10-17","Statement":[]}' }),
        fails: 'MalformedPolicyDocumentException',
      },
      onKey('SimulatePolicy', { principalArn: NOBODY, action: 'kms:Encrypt' }),
    ],
  },
  {
    name: 'tags decide',
    steps: [
      newKey,
      onKey('PutKeyPolicy', {
        policy: policy({
          Action: 'kms:Encrypt',
          Condition: { StringEquals: { 'aws:ResourceTag/team': 'blue' } },
        }),
      }),
      denied(encrypting),
      onKey('TagResource', { tags: [{ tagKey: 'team', tagValue: 'red' }] }),
      denied(encrypting),
      onKey('TagResource', { tags: [{ tagKey: 'team', tagValue: 'blue' }] }),
      asNobody(encrypting),
      onKey('ListResourceTags'),
      onKey('UntagResource', { tagKeys: ['team'] }),
      denied(encrypting),
      { ...onKey('TagResource', { tags: [] }), fails: 'ValidationException' },
      { ...onKey('UntagResource', { tagKeys: [''] }), fails: 'ValidationException' },
    ],
  },
  {
    name: 'aliases decide, and lists come in pages',
    steps: [
      newKey,
      { call: 'CreateAlias', request: { aliasName: aliasOfOwn('key', 'one'), targetKeyId: KEY } },
      { call: 'CreateAlias', request: { aliasName: aliasOfOwn('key', 'two'), targetKeyId: KEY } },
      { ...onKey('ListAliases', { limit: 1 }), save: 'page' },
      onKey('ListAliases', { limit: 1, marker: '$page.nextMarker' }),
      {
        ...onKey('ListResourceTags', { marker: '$page.nextMarker' }),
        fails: 'InvalidMarkerException',
      },
      { call: 'DescribeKey', request: { keyId: aliasOfOwn('key', 'two') } },
      { call: 'DeleteAlias', request: { aliasName: aliasOfOwn('key', 'one') } },
      {
        call: 'DescribeKey',
        request: { keyId: aliasOfOwn('key', 'one') },
        fails: 'NotFoundException',
      },
    ],
  },
]

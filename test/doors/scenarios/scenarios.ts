/** Scenarios that go through both doors: the life of keys, aliases and tags. */

import type { RpcName } from '../../../src/service.ts'
import { ELSEWHERE, FOREIGN, MISSING, NO_ARN, PLAN, type Scenario, type Step } from './scenario.ts'

const KEY = '$key.keyMetadata.keyId'
const ARN = '$key.keyMetadata.arn'
const CONTEXT = new Map([
  ['purpose', 'plan'],
  ['__proto__', 'x'],
])

const newKey: Step = { call: 'CreateKey', save: 'key' }

/** A call on the key alone, by the names of the operations that have nothing else to say. */
const onKey = (call: RpcName, more: Partial<Step> = {}, keyId: string = KEY): Step => ({
  call,
  ...more,
  request: { ...REST[call], keyId, ...more.request },
})

/** What operations on a key ask beside the key. */
const REST: Partial<Record<RpcName, Readonly<Record<string, unknown>>>> = {
  Encrypt: { plaintext: PLAN },
  GenerateDataKey: { keySpec: 'AES_256' },
  GenerateDataKeyWithoutPlaintext: { numberOfBytes: 16 },
  TagResource: { tags: [{ tagKey: 'a', tagValue: 'b' }] },
  UntagResource: { tagKeys: ['a'] },
  UpdateKeyDescription: { description: 'other' },
}

/** Operations that name one key by `keyId`. */
const ON_KEY: readonly RpcName[] = [
  'DescribeKey',
  'UpdateKeyDescription',
  'EnableKey',
  'DisableKey',
  'ScheduleKeyDeletion',
  'CancelKeyDeletion',
  'TagResource',
  'UntagResource',
  'ListResourceTags',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'EnableKeyRotation',
  'DisableKeyRotation',
  'GetKeyRotationStatus',
  'RotateKeyOnDemand',
  'ListKeyRotations',
]
const CRYPTOGRAPHIC: readonly RpcName[] = [
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
]
const USING: readonly RpcName[] = [
  ...CRYPTOGRAPHIC,
  'EnableKeyRotation',
  'DisableKeyRotation',
  'RotateKeyOnDemand',
]
const CHANGING: readonly RpcName[] = [
  'EnableKey',
  'DisableKey',
  'ScheduleKeyDeletion',
  'TagResource',
  'UntagResource',
  'UpdateKeyDescription',
]

/** The scenarios. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'a key is made, described, used and put away',
    steps: [
      {
        call: 'CreateKey',
        save: 'key',
        request: { description: 'Ünïcode ✓ "quoted"', tags: [{ tagKey: 'team', tagValue: 'a' }] },
      },
      onKey('DescribeKey'),
      onKey('Encrypt', { save: 'sealed', request: { encryptionContext: CONTEXT } }),
      {
        call: 'Decrypt',
        request: { ciphertextBlob: '$sealed.ciphertextBlob', encryptionContext: CONTEXT },
      },
      onKey('GenerateDataKey', { save: 'dataKey' }),
      { call: 'Decrypt', request: { ciphertextBlob: '$dataKey.ciphertextBlob', keyId: ARN } },
      onKey('EnableKeyRotation', { request: { rotationPeriodInDays: 90 } }),
      onKey('GetKeyRotationStatus'),
      onKey('RotateKeyOnDemand'),
      onKey('ListKeyRotations'),
      onKey('ListResourceTags'),
      onKey('ScheduleKeyDeletion', { request: { pendingWindowInDays: 7 } }),
    ],
  },
  {
    name: 'a ciphertext that is not as it was',
    steps: [
      newKey,
      onKey('Encrypt', { save: 'sealed', request: { encryptionContext: CONTEXT } }),
      {
        call: 'Decrypt',
        request: { ciphertextBlob: '$sealed.ciphertextBlob' },
        fails: 'InvalidCiphertextException',
      },
      {
        call: 'Decrypt',
        request: { ciphertextBlob: Buffer.from('no ciphertext') },
        fails: 'InvalidCiphertextException',
      },
      { ...newKey, save: 'other' },
      {
        call: 'Decrypt',
        request: {
          ciphertextBlob: '$sealed.ciphertextBlob',
          encryptionContext: CONTEXT,
          keyId: '$other.keyMetadata.keyId',
        },
        fails: 'IncorrectKeyException',
      },
      {
        call: 'ReEncrypt',
        request: {
          ciphertextBlob: '$sealed.ciphertextBlob',
          sourceEncryptionContext: CONTEXT,
          destinationKeyId: '$other.keyMetadata.keyId',
        },
      },
    ],
  },
  {
    name: 'aliases',
    steps: [
      newKey,
      { call: 'CreateAlias', request: { aliasName: 'alias/both-doors', targetKeyId: KEY } },
      {
        call: 'CreateAlias',
        request: { aliasName: 'alias/both-doors', targetKeyId: KEY },
        fails: 'AlreadyExistsException',
      },
      onKey('ListAliases'),
      {
        call: 'CreateAlias',
        request: { aliasName: 'alias/aws/mine', targetKeyId: KEY },
        fails: 'InvalidAliasNameException',
      },
      {
        call: 'UpdateAlias',
        request: { aliasName: 'alias/not-there', targetKeyId: KEY },
        fails: 'NotFoundException',
      },
      { call: 'DeleteAlias', request: { aliasName: 'alias/both-doors' } },
      {
        call: 'DeleteAlias',
        request: { aliasName: 'alias/both-doors' },
        fails: 'NotFoundException',
        says: /alias\/both-doors is not found/i,
      },
    ],
  },
  {
    name: 'tags and descriptions beyond what a key may have',
    steps: [
      newKey,
      onKey('TagResource', {
        request: {
          tags: Array.from({ length: 51 }, (_, at) => ({ tagKey: `k${at}`, tagValue: '' })),
        },
        fails: 'TagException',
        says: /at most 50 tags/,
      }),
      onKey('TagResource', {
        request: { tags: [{ tagKey: 'aws:mine', tagValue: '' }] },
        fails: 'TagException',
      }),
      onKey('UpdateKeyDescription', {
        request: { description: 'd'.repeat(8193) },
        fails: 'ValidationException',
      }),
    ],
  },
  {
    name: 'what the contract refuses',
    steps: [
      { call: 'Encrypt', request: { plaintext: PLAN }, fails: 'ValidationException' },
      {
        call: 'Encrypt',
        request: { keyId: MISSING, plaintext: Buffer.alloc(4097) },
        fails: 'ValidationException',
        says: /'plaintext' failed to satisfy constraint: Member must have length less than/,
      },
      {
        call: 'CreateKey',
        request: { tags: [{ tagKey: 'k'.repeat(129), tagValue: '' }] },
        fails: 'ValidationException',
      },
      { call: 'ListKeys', request: { limit: 0 }, fails: 'ValidationException' },
      { call: 'ListKeys', request: { marker: 'none' }, fails: 'InvalidMarkerException' },
      { call: 'GenerateRandom', request: { numberOfBytes: 1025 }, fails: 'ValidationException' },
    ],
  },
  {
    name: 'a dry run',
    steps: [
      newKey,
      onKey('Encrypt', { save: 'sealed' }),
      ...CRYPTOGRAPHIC.map((call) =>
        onKey(call, { request: { dryRun: true }, fails: 'DryRunOperationException' }),
      ),
      {
        call: 'Decrypt',
        request: { ciphertextBlob: '$sealed.ciphertextBlob', dryRun: true },
        fails: 'DryRunOperationException',
      },
      onKey('DisableKey'),
      {
        call: 'Decrypt',
        request: { ciphertextBlob: '$sealed.ciphertextBlob' },
        fails: 'DisabledException',
      },
      onKey('Encrypt', { request: { dryRun: true }, fails: 'DisabledException' }),
    ],
  },
  ...ON_KEY.map((call) => ({
    name: `${call} on keys that are not there`,
    steps: [
      onKey(call, { fails: 'NotFoundException', says: /^Key 'arn:.*' does not exist$/ }, MISSING),
      onKey(
        call,
        { fails: 'AccessDeniedException', says: /is not authorized to perform/ },
        FOREIGN,
      ),
      onKey(call, { fails: 'NotFoundException' }, ELSEWHERE),
      onKey(call, { fails: 'InvalidArnException' }, NO_ARN),
    ],
  })),
  {
    name: 'a disabled key is not used',
    steps: [
      newKey,
      onKey('DisableKey'),
      ...USING.map((call) => onKey(call, { fails: 'DisabledException', says: /is disabled\.$/ })),
      onKey('DescribeKey'),
      onKey('EnableKey'),
      onKey('Encrypt'),
    ],
  },
  {
    name: 'a key that waits for its deletion neither works nor changes',
    steps: [
      newKey,
      onKey('CancelKeyDeletion', {
        fails: 'KMSInvalidStateException',
        says: /not pending deletion/,
      }),
      onKey('ScheduleKeyDeletion'),
      ...[...USING, ...CHANGING].map((call) =>
        onKey(call, { fails: 'KMSInvalidStateException', says: /is pending deletion\.$/ }),
      ),
      onKey('CancelKeyDeletion'),
      onKey('DescribeKey'),
    ],
  },
]

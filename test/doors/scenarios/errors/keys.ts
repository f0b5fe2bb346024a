/** Errors of keys, aliases and tags, and those that most operations on a key have. */

import { aliasOfOwn, MISSING, NO_ARN } from '../scenario.ts'
import {
  deletedKey,
  disabledKey,
  enabledKey,
  type KmsName,
  kindOf,
  NAMES,
  POLICY,
  REQUESTS,
} from './requests.ts'
import { asked, each, type Row, row, rows } from './rows.ts'

/** Operations whose request names their key by `keyId`, a ciphertext's included. */
const ON_KEY = NAMES.filter((name) => 'keyId' in REQUESTS[name])
const BY_CIPHERTEXT: readonly KmsName[] = ['Decrypt', 'ReEncrypt']
/** Operations that use a key: it has to be enabled, and a grant can give them. */
const USING: readonly KmsName[] = [
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
  'Sign',
  'Verify',
  'GetPublicKey',
  'GenerateMac',
  'VerifyMac',
  'DeriveSharedSecret',
]
const ROTATING: readonly KmsName[] = [
  'EnableKeyRotation',
  'DisableKeyRotation',
  'RotateKeyOnDemand',
]
const CHANGING: readonly KmsName[] = [
  'EnableKey',
  'DisableKey',
  'ScheduleKeyDeletion',
  'UpdateKeyDescription',
  'TagResource',
  'UntagResource',
  'GetParametersForImport',
  'ImportKeyMaterial',
]
/** For operations that use a key AWS models no error of its ARN, but for the one that shows it. */
const MANAGING = ON_KEY.filter((name) => !USING.includes(name) || name === 'GetPublicKey')
/** All but the list of policies, which has one item. */
const LISTING = NAMES.filter((name) => name.startsWith('List') && name !== 'ListKeyPolicies')
/** What breaks a rule of the contract where an empty key id does not. */
/** Of what is empty each door speaks as its protocol tells: see test/doors/aws/given.test.ts. */
const TOO_LONG = 'k'.repeat(2049)
const UNSOUND = {
  CreateKey: { description: 'd'.repeat(8193) },
  ListKeys: { limit: 0 },
  ListAliases: { limit: 0 },
  CreateAlias: { aliasName: TOO_LONG },
  UpdateAlias: { targetKeyId: TOO_LONG },
  DeleteAlias: { aliasName: 'known' },
  ListRetirableGrants: { retiringPrincipal: TOO_LONG },
  RetireGrant: { grantToken: 'one', keyId: MISSING },
  Decrypt: { ciphertextBlob: Buffer.alloc(6145) },
  ReEncrypt: { destinationKeyId: TOO_LONG },
  GenerateRandom: { numberOfBytes: 0 },
} as const
const fifty = Array.from({ length: 50 }, (_, at) => ({ tagKey: `k${at}`, tagValue: '' }))
const own = { call: 'CreateKey', save: 'own' } as const
const OWN = { keyId: '$own.keyMetadata.keyId' }
/** Aliases of the row's own key, by names that the next door finds free. */
const aliases = Array.from({ length: 50 }, (_, at) =>
  asked('CreateAlias', { aliasName: aliasOfOwn('own', at), targetKeyId: OWN.keyId }),
)

/** What every operation may answer, whatever AWS models for it. */
export const COMMON_ROWS: readonly Row[] = [
  ...NAMES.map((name) => row('AccessDeniedException', { ...asked(name), as: 'nobody' })),
  ...rows('ValidationException', { ...each(ON_KEY, () => ({ keyId: TOO_LONG })), ...UNSOUND }),
]

/** The rows. */
export const KEY_ROWS: readonly Row[] = [
  ...rows('NotFoundException', {
    ...each(ON_KEY, () => ({ keyId: MISSING })),
    ...each(BY_CIPHERTEXT, () => ({ keyId: MISSING, destinationKeyId: MISSING })),
    CreateAlias: { targetKeyId: MISSING },
    UpdateAlias: { aliasName: 'alias/not-there' },
    DeleteAlias: { aliasName: 'alias/not-there' },
    ListAliases: { keyId: MISSING },
  }),
  ...rows('InvalidArnException', {
    ...each(MANAGING, () => ({ keyId: NO_ARN })),
    ListAliases: { keyId: NO_ARN },
  }),
  ...rows(
    'InvalidMarkerException',
    each(LISTING, () => ({ marker: 'none' })),
  ),
  ...rows('DisabledException', {
    ...each([...USING, ...ROTATING, 'CreateGrant'], (name) => ({
      keyId: disabledKey(kindOf(name)),
    })),
    Decrypt: { keyId: disabledKey('symmetric') },
    ReEncrypt: { destinationKeyId: disabledKey('symmetric') },
  }),
  ...rows('KMSInvalidStateException', {
    ...each([...USING, ...ROTATING, ...CHANGING, 'CreateGrant'], (name) => ({
      keyId: deletedKey(kindOf(name)),
    })),
    CancelKeyDeletion: { keyId: enabledKey('symmetric') },
    CreateAlias: { targetKeyId: deletedKey('symmetric') },
    UpdateAlias: { targetKeyId: deletedKey('symmetric') },
    Decrypt: { keyId: deletedKey('symmetric') },
    ReEncrypt: { destinationKeyId: deletedKey('symmetric') },
  }),
  ...rows('UnsupportedOperationException', {
    CreateKey: { multiRegion: true },
    GenerateRandom: { customKeyStoreId: 'cks-1234567890abcdef0' },
    ...each([...ROTATING, 'ListKeyRotations'], () => ({
      keyId: enabledKey('mac'),
    })),
  }),
  ...rows('TagException', {
    CreateKey: { tags: [{ tagKey: 'aws:mine', tagValue: '' }] },
    TagResource: { tags: [...fifty, { tagKey: 'one more', tagValue: '' }] },
    UntagResource: { tagKeys: ['aws:mine'] },
  }),
  ...rows('MalformedPolicyDocumentException', {
    CreateKey: { policy: '{' },
    PutKeyPolicy: { policy: '{"Statement":[]}' },
  }),
  ...rows('LimitExceededException', {
    CreateKey: { policy: POLICY.padEnd(32_769) },
    PutKeyPolicy: { policy: POLICY.padEnd(32_769) },
  }),
  ...rows('AlreadyExistsException', { CreateAlias: { aliasName: 'alias/known' } }),
  ...rows('InvalidAliasNameException', { CreateAlias: { aliasName: 'alias/aws/mine' } }),
  row(
    'LimitExceededException',
    own,
    asked('TagResource', { ...OWN, tags: fifty }),
    asked('TagResource', OWN),
  ),
  row(
    'LimitExceededException',
    own,
    ...Array.from({ length: 25 }, () => asked('RotateKeyOnDemand', OWN)),
    asked('RotateKeyOnDemand', OWN),
  ),
  row(
    'LimitExceededException',
    own,
    ...aliases,
    asked('CreateAlias', { aliasName: aliasOfOwn('own', 50), targetKeyId: OWN.keyId }),
  ),
  row('LimitExceededException', own, ...aliases, asked('UpdateAlias', { targetKeyId: OWN.keyId })),
]

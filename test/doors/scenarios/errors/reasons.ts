/** Errors of AWS's model that no row provokes, and why. */

import { type KmsName, NAMES, USING_TOKEN } from './requests.ts'

/** Why some errors are in no row. */
export interface Reason {
  readonly errors: RegExp
  /** The operations that it is about; all unless given. */
  readonly operations?: readonly KmsName[]
  readonly why: string
}

/** The reasons. A row for what one of them speaks of would show that it is none. */
export const REASONS: readonly Reason[] = [
  {
    errors: /^(?:CloudHsm|CustomKeyStore|XksKey)/,
    why: 'there are no custom key stores: whoever names one hears UnsupportedOperationException',
  },
  {
    errors: /^KMSInternalException$/,
    why: 'a fault of the service: faults.test.ts has it for every operation',
  },
  {
    errors: /^DependencyTimeoutException$/,
    operations: USING_TOKEN,
    why: 'a token that hangs: faults.test.ts has it',
  },
  {
    errors: /^DependencyTimeoutException$/,
    operations: NAMES.filter((name) => !USING_TOKEN.includes(name)),
    why: 'waits for no token',
  },
  {
    errors: /^KeyUnavailableException$/,
    operations: ['Verify', 'GetPublicKey'],
    why: 'the public half is in the store: the token is not asked',
  },
  {
    errors: /^InvalidKeyUsageException$/,
    operations: ['GetPublicKey'],
    why: 'a public key is given whatever it is for',
  },
  {
    errors: /^KMSInvalidStateException$/,
    operations: [
      'DeleteAlias',
      'GetKeyPolicy',
      'PutKeyPolicy',
      'ListKeyPolicies',
      'ListGrants',
      'RetireGrant',
      'RevokeGrant',
      'GetKeyRotationStatus',
      'ListKeyRotations',
    ],
    why: 'they work in every state of a key, as AWS’s table of key states has it',
  },
  {
    errors: /^KMSInvalidStateException$/,
    operations: ['DeleteImportedKeyMaterial'],
    why: 'works in every state that a key with imported material can be in',
  },
  {
    errors: /^InvalidArnException$/,
    operations: ['CreateKey'],
    why: 'an ARN in a policy that is none makes the policy malformed',
  },
  {
    errors: /^NotFoundException$/,
    operations: ['ListRetirableGrants'],
    why: 'it names no key, and of a principal that is not there the ARN is not valid',
  },
  {
    errors: /^LimitExceededException$/,
    operations: ['CreateGrant'],
    why: '50,000 grants of a key are the limit: test/store has it',
  },
  {
    errors: /^LimitExceededException$/,
    operations: ['EnableKey'],
    why: 'a disabled key counts as much as an enabled one',
  },
  {
    errors: /^UnsupportedOperationException$/,
    operations: ['GetKeyRotationStatus'],
    why: 'of a key that cannot rotate it says that it does not, as AWS documents',
  },
  {
    errors: /^UnsupportedOperationException$/,
    operations: ['PutKeyPolicy'],
    why: 'there is no key whose policy cannot be put, but for those that nobody may put it on',
  },
  {
    errors: /^ConflictException$/,
    operations: ['RotateKeyOnDemand'],
    why: 'takes another change at the same moment: test/lifecycle has it',
  },
]

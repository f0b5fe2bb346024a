/**
 * What AWS documents of each operation on keys of each kind in each state.
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
 * https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-compare.html
 *
 * Of a key that can never do what is asked, AWS says so whatever state it is in; then it looks at
 * the state, and then at the usage. Where its table leaves a choice ("[2] or [3]" while deletion
 * is pending), the error is the one that its service answers.
 *
 * The table of states is older than the rotation of imported keys on demand, and says that the
 * rotations of such keys cannot be asked for; the reference of the API lists them. The status of
 * rotation is documented, and answered, as `false` for keys that have none, and not as an error.
 */

import { isPair, isSymmetric, type Kind } from './documents.ts'

/** The states that a key can be brought to. */
export type State = 'Enabled' | 'Disabled' | 'PendingDeletion' | 'PendingImport'

const COLUMNS: readonly State[] = ['Enabled', 'Disabled', 'PendingDeletion', 'PendingImport']

/** By the numbers of AWS's table. */
const ERRORS: Readonly<Record<string, string>> = {
  ok: 'ok',
  /** `<key ARN> is disabled.` */
  1: 'DisabledException',
  /** `<key ARN> is pending deletion.` */
  3: 'KMSInvalidStateException',
  /** `<key ARN> is not pending deletion.` */
  4: 'KMSInvalidStateException',
  /** `<key ARN> is pending import.` */
  5: 'KMSInvalidStateException',
  /** Of imported keys that are pending deletion. */
  8: 'KMSInvalidStateException',
}

/** The operation, which keys it is for, and its outcome in each state. */
const LINES = `
  CancelKeyDeletion                   | any                    | 4  | 4  | ok | 4
  CreateAlias                         | any                    | ok | ok | 3  | ok
  CreateGrant                         | any                    | ok | 1  | 3  | 5
  Decrypt                             | ENCRYPT_DECRYPT        | ok | 1  | 3  | 5
  DeleteAlias                         | any                    | ok | ok | ok | ok
  DeleteImportedKeyMaterial           | imported               | ok | ok | ok | ok
  DeriveSharedSecret                  | KEY_AGREEMENT          | ok | 1  | 3  | 5
  DescribeKey                         | any                    | ok | ok | ok | ok
  DisableKey                          | any                    | ok | ok | 3  | 5
  DisableKeyRotation                  | rotating by itself     | ok | 1  | 3  | 5
  EnableKey                           | any                    | ok | ok | 3  | 5
  EnableKeyRotation                   | rotating by itself     | ok | 1  | 3  | 5
  Encrypt                             | ENCRYPT_DECRYPT        | ok | 1  | 3  | 5
  GenerateDataKey                     | symmetric encryption   | ok | 1  | 3  | 5
  GenerateDataKeyPair                 | symmetric encryption   | ok | 1  | 3  | 5
  GenerateDataKeyPairWithoutPlaintext | symmetric encryption   | ok | 1  | 3  | 5
  GenerateDataKeyWithoutPlaintext     | symmetric encryption   | ok | 1  | 3  | 5
  GenerateMac                         | GENERATE_VERIFY_MAC    | ok | 1  | 3  | 5
  GetKeyLastUsage                     | any                    | ok | ok | ok | ok
  GetKeyPolicy                        | any                    | ok | ok | ok | ok
  GetKeyRotationStatus                | any                    | ok | ok | ok | ok
  GetParametersForImport              | imported               | ok | ok | 8  | ok
  GetPublicKey                        | pairs                  | ok | 1  | 3  | 5
  ImportKeyMaterial                   | imported               | ok | ok | 8  | ok
  ListAliases                         | any                    | ok | ok | ok | ok
  ListGrants                          | any                    | ok | ok | ok | ok
  ListKeyPolicies                     | any                    | ok | ok | ok | ok
  ListKeyRotations                    | rotating               | ok | ok | ok | ok
  ListResourceTags                    | any                    | ok | ok | ok | ok
  PutKeyPolicy                        | any                    | ok | ok | ok | ok
  ReEncrypt from                      | ENCRYPT_DECRYPT        | ok | 1  | 3  | 5
  ReEncrypt to                        | ENCRYPT_DECRYPT        | ok | 1  | 3  | 5
  RetireGrant                         | any                    | ok | ok | ok | ok
  RevokeGrant                         | any                    | ok | ok | ok | ok
  RotateKeyOnDemand                   | rotating               | ok | 1  | 3  | 5
  ScheduleKeyDeletion                 | any                    | ok | ok | 3  | ok
  Sign                                | SIGN_VERIFY            | ok | 1  | 3  | 5
  SimulatePolicy                      | any                    | ok | ok | ok | ok
  TagResource                         | any                    | ok | ok | 3  | ok
  UntagResource                       | any                    | ok | ok | 3  | ok
  UpdateAlias from                    | any                    | ok | ok | ok | ok
  UpdateAlias to                      | any                    | ok | ok | 3  | ok
  UpdateKeyDescription                | any                    | ok | ok | 3  | ok
  Verify                              | SIGN_VERIFY            | ok | 1  | 3  | 5
  VerifyMac                           | GENERATE_VERIFY_MAC    | ok | 1  | 3  | 5
`

/** Keys of another kind can never do it: `UnsupportedOperationException`, in any state. */
const CAN: Readonly<Record<string, (kind: Kind) => boolean>> = {
  imported: ({ origin }) => origin === 'EXTERNAL',
  rotating: isSymmetric,
  'rotating by itself': (kind) => isSymmetric(kind) && kind.origin === 'AWS_KMS',
  pairs: isPair,
}

/** Keys of another usage do not do it: `InvalidKeyUsageException`, in a state that would do. */
function isUsedFor(which: string, kind: Kind): boolean {
  if (which === 'symmetric encryption') return isSymmetric(kind)
  return !which.includes('_') || which === kind.usage
}

interface Row {
  readonly which: string
  readonly outcomes: readonly string[]
}

const rows = new Map(
  LINES.trim()
    .split('\n')
    .map((line): [string, Row] => {
      const [name = '', which = '', ...outcomes] = line.split('|').map((part) => part.trim())
      return [name, { which, outcomes }]
    }),
)

/** Every operation of the table; `ReEncrypt to` and the like name one of its two keys. */
export const OPERATIONS_ON_KEYS: readonly string[] = [...rows.keys()]

/** `ok`, or AWS's name of the error. */
export function outcomeOn(operation: string, kind: Kind, state: State): string {
  const { which = '', outcomes = [] } = rows.get(operation) ?? {}
  const can = CAN[which]
  if (can && !can(kind)) return 'UnsupportedOperationException'
  const outcome = ERRORS[outcomes[COLUMNS.indexOf(state)] ?? ''] ?? 'not in the table'
  if (outcome !== 'ok') return outcome
  if (!isUsedFor(which, kind)) return 'InvalidKeyUsageException'
  // Its new material has to be imported first, and waits for the rotation then.
  const lacksNext = operation === 'RotateKeyOnDemand' && kind.origin === 'EXTERNAL'
  return lacksNext ? 'KMSInvalidStateException' : outcome
}

/** The last use of a key: the last cryptographic operation with it that succeeded. */

/**
 * The operations that use a key.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyLastUsageData.html
 */
export const USING_OPERATIONS = [
  'Decrypt',
  'DeriveSharedSecret',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateMac',
  'ReEncrypt',
  'Sign',
  'Verify',
  'VerifyMac',
] as const

/** The name of an operation that uses a key. */
export type UsingOperation = (typeof USING_OPERATIONS)[number]

/** A use of a key. */
export interface KeyUse {
  readonly operation: UsingOperation
  /** When the call began, in milliseconds since the epoch. */
  readonly usedMs: number
  /** Of the call, as its audit record has it. */
  readonly requestId: string
}

const using: ReadonlySet<string> = new Set(USING_OPERATIONS)

/** Whether an operation uses a key. */
export function isUsingOperation(name: string): name is UsingOperation {
  return using.has(name)
}

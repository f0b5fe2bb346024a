/**
 * What the return values of PKCS#11 mean for keyslot: whose fault each is and what follows.
 * Names and numbers are those of PKCS#11 v2.40 and v3.0, section 5.1.
 */

/**
 * Whose fault a return value is. `ambiguous`: tokens answer it both for a bad ciphertext and for
 * a fault of their own; the canary decides.
 */
export type Fault = 'caller' | 'ambiguous' | 'key' | 'session' | 'device' | 'pin' | 'us'

/** What follows for the session and the process. */
export type Consequence = 'keep session' | 'close session' | 'restart process'

/** A row of the table. */
export interface ReturnValue {
  readonly name: string
  readonly fault: Fault
  readonly follows: Consequence
}

const badData = ['caller', 'close session'] as const
const ambiguous = ['ambiguous', 'close session'] as const
const key = ['key', 'close session'] as const
const session = ['session', 'close session'] as const
const device = ['device', 'restart process'] as const
const pin = ['pin', 'restart process'] as const
const us = ['us', 'close session'] as const

const ROWS: readonly (readonly [number, string, Fault, Consequence])[] = [
  [0x00000000, 'CKR_OK', 'us', 'keep session'],
  [0x00000001, 'CKR_CANCEL', ...session],
  [0x00000002, 'CKR_HOST_MEMORY', ...device],
  [0x00000003, 'CKR_SLOT_ID_INVALID', ...device],
  [0x00000005, 'CKR_GENERAL_ERROR', ...ambiguous],
  [0x00000006, 'CKR_FUNCTION_FAILED', ...ambiguous],
  [0x00000007, 'CKR_ARGUMENTS_BAD', ...us],
  [0x00000008, 'CKR_NO_EVENT', ...us],
  [0x00000009, 'CKR_NEED_TO_CREATE_THREADS', ...device],
  [0x0000000a, 'CKR_CANT_LOCK', ...device],
  [0x00000010, 'CKR_ATTRIBUTE_READ_ONLY', ...us],
  [0x00000011, 'CKR_ATTRIBUTE_SENSITIVE', ...us],
  [0x00000012, 'CKR_ATTRIBUTE_TYPE_INVALID', ...us],
  [0x00000013, 'CKR_ATTRIBUTE_VALUE_INVALID', ...us],
  [0x0000001b, 'CKR_ACTION_PROHIBITED', ...us],
  [0x00000020, 'CKR_DATA_INVALID', ...ambiguous],
  [0x00000021, 'CKR_DATA_LEN_RANGE', ...ambiguous],
  [0x00000030, 'CKR_DEVICE_ERROR', ...ambiguous],
  [0x00000031, 'CKR_DEVICE_MEMORY', ...session],
  [0x00000032, 'CKR_DEVICE_REMOVED', ...device],
  [0x00000040, 'CKR_ENCRYPTED_DATA_INVALID', ...badData],
  [0x00000041, 'CKR_ENCRYPTED_DATA_LEN_RANGE', ...badData],
  [0x00000042, 'CKR_AEAD_DECRYPT_FAILED', ...badData],
  [0x00000050, 'CKR_FUNCTION_CANCELED', ...session],
  [0x00000051, 'CKR_FUNCTION_NOT_PARALLEL', ...us],
  [0x00000054, 'CKR_FUNCTION_NOT_SUPPORTED', ...us],
  [0x00000060, 'CKR_KEY_HANDLE_INVALID', ...key],
  [0x00000062, 'CKR_KEY_SIZE_RANGE', ...us],
  [0x00000063, 'CKR_KEY_TYPE_INCONSISTENT', ...us],
  [0x00000064, 'CKR_KEY_NOT_NEEDED', ...us],
  [0x00000065, 'CKR_KEY_CHANGED', ...us],
  [0x00000066, 'CKR_KEY_NEEDED', ...us],
  [0x00000067, 'CKR_KEY_INDIGESTIBLE', ...us],
  [0x00000068, 'CKR_KEY_FUNCTION_NOT_PERMITTED', ...us],
  [0x00000069, 'CKR_KEY_NOT_WRAPPABLE', ...us],
  [0x0000006a, 'CKR_KEY_UNEXTRACTABLE', ...us],
  [0x00000070, 'CKR_MECHANISM_INVALID', ...us],
  [0x00000071, 'CKR_MECHANISM_PARAM_INVALID', ...us],
  [0x00000082, 'CKR_OBJECT_HANDLE_INVALID', ...key],
  [0x00000090, 'CKR_OPERATION_ACTIVE', ...session],
  [0x00000091, 'CKR_OPERATION_NOT_INITIALIZED', ...session],
  [0x000000a0, 'CKR_PIN_INCORRECT', ...pin],
  [0x000000a1, 'CKR_PIN_INVALID', ...pin],
  [0x000000a2, 'CKR_PIN_LEN_RANGE', ...pin],
  [0x000000a3, 'CKR_PIN_EXPIRED', ...pin],
  [0x000000a4, 'CKR_PIN_LOCKED', ...pin],
  [0x000000b0, 'CKR_SESSION_CLOSED', ...session],
  [0x000000b1, 'CKR_SESSION_COUNT', ...session],
  [0x000000b3, 'CKR_SESSION_HANDLE_INVALID', ...session],
  [0x000000b4, 'CKR_SESSION_PARALLEL_NOT_SUPPORTED', ...us],
  [0x000000b5, 'CKR_SESSION_READ_ONLY', ...us],
  [0x000000b6, 'CKR_SESSION_EXISTS', ...us],
  [0x000000b7, 'CKR_SESSION_READ_ONLY_EXISTS', ...us],
  [0x000000b8, 'CKR_SESSION_READ_WRITE_SO_EXISTS', ...us],
  [0x000000b9, 'CKR_OPERATION_CANCEL_FAILED', ...session],
  [0x000000c0, 'CKR_SIGNATURE_INVALID', ...badData],
  [0x000000c1, 'CKR_SIGNATURE_LEN_RANGE', ...badData],
  [0x000000d0, 'CKR_TEMPLATE_INCOMPLETE', ...us],
  [0x000000d1, 'CKR_TEMPLATE_INCONSISTENT', ...us],
  [0x000000e0, 'CKR_TOKEN_NOT_PRESENT', ...device],
  [0x000000e1, 'CKR_TOKEN_NOT_RECOGNIZED', ...device],
  [0x000000e2, 'CKR_TOKEN_WRITE_PROTECTED', ...session],
  [0x000000f0, 'CKR_UNWRAPPING_KEY_HANDLE_INVALID', ...key],
  [0x000000f1, 'CKR_UNWRAPPING_KEY_SIZE_RANGE', ...us],
  [0x000000f2, 'CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT', ...us],
  [0x00000100, 'CKR_USER_ALREADY_LOGGED_IN', ...session],
  [0x00000101, 'CKR_USER_NOT_LOGGED_IN', ...device],
  [0x00000102, 'CKR_USER_PIN_NOT_INITIALIZED', ...pin],
  [0x00000103, 'CKR_USER_TYPE_INVALID', ...us],
  [0x00000104, 'CKR_USER_ANOTHER_ALREADY_LOGGED_IN', ...device],
  [0x00000105, 'CKR_USER_TOO_MANY_TYPES', ...device],
  [0x00000110, 'CKR_WRAPPED_KEY_INVALID', ...badData],
  [0x00000112, 'CKR_WRAPPED_KEY_LEN_RANGE', ...badData],
  [0x00000113, 'CKR_WRAPPING_KEY_HANDLE_INVALID', ...key],
  [0x00000114, 'CKR_WRAPPING_KEY_SIZE_RANGE', ...us],
  [0x00000115, 'CKR_WRAPPING_KEY_TYPE_INCONSISTENT', ...us],
  [0x00000120, 'CKR_RANDOM_SEED_NOT_SUPPORTED', ...us],
  [0x00000121, 'CKR_RANDOM_NO_RNG', ...device],
  [0x00000130, 'CKR_DOMAIN_PARAMS_INVALID', ...us],
  [0x00000140, 'CKR_CURVE_NOT_SUPPORTED', ...us],
  [0x00000150, 'CKR_BUFFER_TOO_SMALL', ...us],
  [0x00000160, 'CKR_SAVED_STATE_INVALID', ...us],
  [0x00000170, 'CKR_INFORMATION_SENSITIVE', ...us],
  [0x00000180, 'CKR_STATE_UNSAVEABLE', ...us],
  [0x00000190, 'CKR_CRYPTOKI_NOT_INITIALIZED', ...device],
  [0x00000191, 'CKR_CRYPTOKI_ALREADY_INITIALIZED', 'us', 'keep session'],
  [0x000001a0, 'CKR_MUTEX_BAD', ...device],
  [0x000001a1, 'CKR_MUTEX_NOT_LOCKED', ...device],
  [0x000001b0, 'CKR_NEW_PIN_MODE', ...pin],
  [0x000001b1, 'CKR_NEXT_OTP', ...pin],
  [0x000001b5, 'CKR_EXCEEDED_MAX_ITERATIONS', ...session],
  [0x000001b6, 'CKR_FIPS_SELF_TEST_FAILED', ...device],
  [0x000001b7, 'CKR_LIBRARY_LOAD_FAILED', ...device],
  [0x000001b8, 'CKR_PIN_TOO_WEAK', ...pin],
  [0x000001b9, 'CKR_PUBLIC_KEY_INVALID', ...us],
  [0x00000200, 'CKR_FUNCTION_REJECTED', ...ambiguous],
]

const TABLE = new Map(
  ROWS.map(([code, name, fault, follows]) => [
    code,
    { name, fault, follows } satisfies ReturnValue,
  ]),
)

/** The meaning of a return value; one that is in no standard is ambiguous, like a vendor's. */
export function returnValue(code: number): ReturnValue {
  const row = TABLE.get(code)
  if (row !== undefined) return row
  const [fault, follows] = ambiguous
  return { name: `CKR_VENDOR_DEFINED (0x${code.toString(16)})`, fault, follows }
}

/** A call into the module that returned anything but CKR_OK. */
export class TokenError extends Error {
  override readonly name = 'TokenError'
  /** The function, such as `C_Decrypt`. */
  readonly call: string
  /** The CKR number. */
  readonly code: number
  /** Its row. */
  readonly value: ReturnValue

  constructor(call: string, code: number) {
    const value = returnValue(code)
    super(`${call} returned ${value.name}`)
    this.call = call
    this.code = code
    this.value = value
  }
}

/**
 * Calls the module.
 *
 * @throws TokenError instead of the binding's errors; others, such as a wrong type of an
 *   argument, pass as they are.
 */
export function asked<T>(call: string, ask: () => T): T {
  try {
    return ask()
  } catch (cause) {
    throw tokenError(call, cause)
  }
}

/** The binding's error as TokenError, if it carries a return value; itself otherwise. */
export function tokenError(call: string, cause: unknown): unknown {
  const code = returnCode(cause)
  return code === undefined ? cause : new TokenError(call, code)
}

function returnCode(cause: unknown): number | undefined {
  if (!(cause instanceof Error)) return undefined
  if ('code' in cause && typeof cause.code === 'number' && cause.code !== 0) return cause.code
  // Some calls of the binding answer its native error, whose text is name and number.
  const number = /^CKR_\w+:(\d+)$/.exec(cause.message)?.[1]
  return number === undefined ? undefined : Number(number)
}

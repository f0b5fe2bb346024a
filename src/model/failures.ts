/**
 * Every failure that a caller can see: AWS's exception name, the gRPC status and the HTTP status
 * that carry it, and whose fault it is.
 * https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html
 */

/** A row of the failure table. */
interface FailureRow {
  /** The gRPC status, by its name in google.rpc.Code. */
  readonly grpc: GrpcStatus
  /** The HTTP status; AWS clients retry on 500 and above, so every fault of ours is one. */
  readonly http: number
  /** Whose fault it is: only `service` failures count against our availability. */
  readonly fault: 'caller' | 'service'
}

/** The gRPC statuses that keyslot answers with, by their numbers on the wire. */
export const GRPC_STATUS = {
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const

/** The name of a gRPC status. */
export type GrpcStatus = keyof typeof GRPC_STATUS

const invalid = { grpc: 'INVALID_ARGUMENT', http: 400, fault: 'caller' } as const
const precondition = { grpc: 'FAILED_PRECONDITION', http: 400, fault: 'caller' } as const
const missing = { grpc: 'NOT_FOUND', http: 400, fault: 'caller' } as const
const exists = { grpc: 'ALREADY_EXISTS', http: 400, fault: 'caller' } as const
const unauthenticated = { grpc: 'UNAUTHENTICATED', http: 400, fault: 'caller' } as const
const exhausted = { grpc: 'RESOURCE_EXHAUSTED', http: 400, fault: 'caller' } as const

/** The table of failures. */
export const FAILURES = {
  AccessDeniedException: { grpc: 'PERMISSION_DENIED', http: 400, fault: 'caller' },
  AlreadyExistsException: exists,
  ConflictException: { grpc: 'ABORTED', http: 400, fault: 'caller' },
  /** IAM's: what it has must go first. */
  DeleteConflictException: precondition,
  DependencyTimeoutException: { grpc: 'UNAVAILABLE', http: 500, fault: 'service' },
  DisabledException: precondition,
  DryRunOperationException: precondition,
  ExpiredImportTokenException: invalid,
  ExpiredTokenException: unauthenticated,
  IncompleteSignatureException: unauthenticated,
  /** IAM's: there is one of this name. */
  EntityAlreadyExistsException: exists,
  /** STS's: the keys of an identity provider cannot be had. */
  IDPCommunicationErrorException: { grpc: 'UNAVAILABLE', http: 400, fault: 'caller' },
  IncorrectKeyException: invalid,
  IncorrectKeyMaterialException: invalid,
  InvalidAliasNameException: invalid,
  InvalidArnException: invalid,
  InvalidCiphertextException: invalid,
  InvalidGrantIdException: invalid,
  InvalidGrantTokenException: invalid,
  /** STS's: a web identity token that is not sound, or of nobody who is known. */
  InvalidIdentityTokenException: unauthenticated,
  InvalidImportTokenException: invalid,
  InvalidKeyUsageException: precondition,
  InvalidMarkerException: invalid,
  InvalidSignatureException: unauthenticated,
  KeyUnavailableException: { grpc: 'UNAVAILABLE', http: 500, fault: 'service' },
  KMSInvalidMacException: invalid,
  KMSInvalidSignatureException: invalid,
  KMSInternalException: { grpc: 'INTERNAL', http: 500, fault: 'service' },
  KMSInvalidStateException: precondition,
  LimitExceededException: exhausted,
  MalformedPolicyDocumentException: invalid,
  MissingAuthenticationTokenException: unauthenticated,
  /** IAM's: there is none of this name. */
  NoSuchEntityException: missing,
  NotFoundException: missing,
  /** STS's: session policies and tags together are too long. */
  PackedPolicyTooLargeException: invalid,
  RequestEntityTooLargeException: { grpc: 'RESOURCE_EXHAUSTED', http: 413, fault: 'caller' },
  SerializationException: invalid,
  TagException: invalid,
  ThrottlingException: exhausted,
  UnknownOperationException: { grpc: 'UNIMPLEMENTED', http: 404, fault: 'caller' },
  UnrecognizedClientException: unauthenticated,
  UnsupportedOperationException: { grpc: 'UNIMPLEMENTED', http: 400, fault: 'caller' },
  ValidationException: invalid,
  /** The caller's deadline passed or the call was cancelled before the work began. */
  RequestAbortedException: { grpc: 'CANCELLED', http: 400, fault: 'caller' },
} as const satisfies Record<string, FailureRow>

/** AWS's name of a failure. */
export type FailureName = keyof typeof FAILURES

/** Options of a failure. */
export interface FailureOptions extends ErrorOptions {
  /** Answer this gRPC status instead of the table's: `UNAVAILABLE` while the HSM process is down. */
  readonly grpc?: GrpcStatus
}

/** Messages quote what the caller sent, and are kept in the audit log. */
const MESSAGE_LENGTH_MAX = 4096

/** A failure that the caller may see: its message is written for the caller and holds no secret. */
export class KmsError extends Error {
  /** AWS's name of the exception. */
  override readonly name: FailureName
  /** The gRPC status to answer with. */
  readonly grpc: GrpcStatus

  constructor(name: FailureName, message: string, options?: FailureOptions) {
    super(message.slice(0, MESSAGE_LENGTH_MAX), options)
    this.name = name
    this.grpc = options?.grpc ?? FAILURES[name].grpc
  }

  /** Whose fault it is. */
  get fault(): 'caller' | 'service' {
    return FAILURES[this.name].fault
  }

  /**
   * The failure itself, or KMSInternalException for anything else: the text of an unknown error
   * is for the log, which finds it in `cause`, and never reaches the caller.
   */
  static from(cause: unknown): KmsError {
    if (cause instanceof KmsError) return cause
    return new KmsError(
      'KMSInternalException',
      'The request failed because of an internal error.',
      { cause },
    )
  }
}

/** Throws a failure. */
export function fail(name: FailureName, message: string, options?: FailureOptions): never {
  throw new KmsError(name, message, options)
}

/** What a call that failed is answered with. */

import { type ServiceError, status } from '@grpc/grpc-js'
import { DETAILS_TRAILER, decodeErrorDetails } from '../contract/error-details.ts'

/** Options of an error. */
export interface KeyslotErrorOptions extends ErrorOptions {
  readonly grpcStatus: number
  readonly requestId?: string
}

/** A call that failed. */
export class KeyslotError extends Error {
  /**
   * AWS's name of the exception (`DisabledException`), as with AWS's own SDKs; where no answer of
   * keyslot's arrived, the name of the gRPC status (`UNAVAILABLE`, `DEADLINE_EXCEEDED`).
   */
  override readonly name: string
  /** The number of the gRPC status. */
  readonly grpcStatus: number
  /** What the answer, the audit record and the log of the service share. */
  readonly requestId?: string

  constructor(name: string, message: string, options: KeyslotErrorOptions) {
    super(message, options)
    this.name = name
    this.grpcStatus = options.grpcStatus
    this.requestId = options.requestId
  }

  /** Reads the error that a call of grpc-js ended with. */
  static from(error: ServiceError): KeyslotError {
    const [trailer] = error.metadata.get(DETAILS_TRAILER)
    const details = Buffer.isBuffer(trailer) ? decodeErrorDetails(trailer) : undefined
    const name = details?.reason ?? status[error.code] ?? 'UNKNOWN'
    return new KeyslotError(name, details?.message ?? error.details, {
      grpcStatus: error.code,
      requestId: details?.requestId,
      cause: error,
    })
  }
}

/** A failure as gRPC carries it: a status, a message and google.rpc.ErrorInfo. */

import { Metadata, type StatusObject } from '@grpc/grpc-js'
import { DETAILS_TRAILER, encodeErrorDetails } from '../../contract/error-details.ts'
import { GRPC_STATUS, type KmsError } from '../../model/failures.ts'

/** The trailer that names the request, on every answer of keyslot's. */
export const REQUEST_ID_TRAILER = 'keyslot-request-id'

// The message travels twice, and some clients take no more than 8 KiB of trailers.
const ENCODED_MESSAGE_LENGTH_MAX = 2048

/** The trailers of an answer. */
export function trailersOf(requestId: string): Metadata {
  const trailers = new Metadata()
  trailers.set(REQUEST_ID_TRAILER, requestId)
  return trailers
}

/** The status of a failure. */
export function statusOf(error: KmsError, requestId: string): StatusObject {
  const code = GRPC_STATUS[error.grpc]
  const message = sendable(error.message)
  const metadata = trailersOf(requestId)
  const details = encodeErrorDetails({ code, message, reason: error.name, requestId })
  metadata.set(DETAILS_TRAILER, details)
  return { code, details: message, metadata }
}

/**
 * A message as a trailer can hold it. It may quote half a surrogate pair of what the caller sent,
 * on which the percent-encoding of gRPC throws.
 */
function sendable(message: string): string {
  let text = message.toWellFormed()
  while (encodeURI(text).length > ENCODED_MESSAGE_LENGTH_MAX) {
    text = `${text.slice(0, Math.floor(text.length * 0.8)).toWellFormed()}…`
  }
  return text
}

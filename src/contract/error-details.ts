/**
 * The details of a failure in the trailer `grpc-status-details-bin`: google.rpc.Status with one
 * google.rpc.ErrorInfo.
 * https://cloud.google.com/apis/design/errors
 */

import protobuf from 'protobufjs'

/** The trailer that carries the details. */
export const DETAILS_TRAILER = 'grpc-status-details-bin'

/** The domain of keyslot's reasons. */
const DOMAIN = 'keyslot'
const ERROR_INFO_URL = 'type.googleapis.com/google.rpc.ErrorInfo'

const ErrorInfo = new protobuf.Type('ErrorInfo')
  .add(new protobuf.Field('reason', 1, 'string'))
  .add(new protobuf.Field('domain', 2, 'string'))
  .add(new protobuf.MapField('metadata', 3, 'string', 'string'))
const Any = new protobuf.Type('Any')
  .add(new protobuf.Field('typeUrl', 1, 'string'))
  .add(new protobuf.Field('value', 2, 'bytes'))
const Status = new protobuf.Type('Status')
  .add(new protobuf.Field('code', 1, 'int32'))
  .add(new protobuf.Field('message', 2, 'string'))
  .add(new protobuf.Field('details', 3, 'Any', 'repeated'))
new protobuf.Root().add(ErrorInfo).add(Any).add(Status).resolveAll()

/** A failure as it is on the wire. */
export interface ErrorDetails {
  /** The gRPC status by its number. */
  readonly code: number
  readonly message: string
  /** AWS's name of the exception. */
  readonly reason: string
  readonly requestId: string
}

/** Encodes the details. */
export function encodeErrorDetails({ code, message, reason, requestId }: ErrorDetails): Buffer {
  const info = { reason, domain: DOMAIN, metadata: { request_id: requestId } }
  const details = [{ typeUrl: ERROR_INFO_URL, value: ErrorInfo.encode(info).finish() }]
  return Buffer.from(Status.encode({ code, message, details }).finish())
}

/** What a client reads of the details. */
export type ReadErrorDetails = Pick<ErrorDetails, 'reason'> & Partial<ErrorDetails>

/** Decodes the details; `undefined` when they are malformed or hold no reason of keyslot's. */
export function decodeErrorDetails(bytes: Uint8Array): ReadErrorDetails | undefined {
  try {
    const status = Status.decode(bytes) as unknown as StatusMessage
    const any = status.details.find(({ typeUrl }) => typeUrl === ERROR_INFO_URL)
    if (!any) return undefined
    const info = ErrorInfo.decode(any.value) as unknown as ErrorInfoMessage
    if (info.domain !== DOMAIN || info.reason === '') return undefined
    const { code, message } = status
    return { code, message, reason: info.reason, requestId: info.metadata.request_id }
  } catch {
    return undefined
  }
}

interface StatusMessage {
  readonly code: number
  readonly message: string
  readonly details: readonly { readonly typeUrl: string; readonly value: Uint8Array }[]
}

interface ErrorInfoMessage {
  readonly reason: string
  readonly domain: string
  readonly metadata: Readonly<Record<string, string>>
}

/** Requests and responses of the operations between their bytes and AWS's terms. */

import { CONTRACT } from '../../contract/contract.ts'
import { decodeMessage, encodeMessage } from '../../contract/wire.ts'
import type { RpcName, Service } from '../../service.ts'

/**
 * Decodes a request.
 *
 * @throws KmsError ValidationException for bytes that are no such request.
 */
export function decodeRequest<N extends RpcName>(name: N, bytes: Buffer): Service[N]['request'] {
  return decodeMessage(CONTRACT[name].request, bytes) as Service[N]['request']
}

/** Encodes a response. */
export function encodeResponse<N extends RpcName>(
  name: N,
  response: Service[N]['response'],
): Buffer {
  return encodeMessage(CONTRACT[name].response, response)
}

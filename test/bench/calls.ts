/** The calls that are measured, and their requests as gRPC frames. */

import { CONTRACT } from '../../src/contract/contract.ts'
import { encodeMessage } from '../../src/contract/wire.ts'
import type { RpcName } from '../../src/service.ts'
import type { Installation } from './installation.ts'

/** The sizes of plaintexts. */
export const PLAINTEXT_BYTES = [32, 4096] as const

/** A call that is measured. */
export interface MeasuredCall {
  /** As the table names it. */
  readonly title: string
  readonly rpc: 'Encrypt' | 'Decrypt' | 'GenerateDataKey'
  /** Of the plaintext or the data key. */
  readonly bytes: number
}

/** All of them. */
export const CALLS: readonly MeasuredCall[] = [
  { title: 'Encrypt 32 B', rpc: 'Encrypt', bytes: 32 },
  { title: 'Decrypt 32 B', rpc: 'Decrypt', bytes: 32 },
  { title: 'GenerateDataKey 32 B', rpc: 'GenerateDataKey', bytes: 32 },
  { title: 'Encrypt 4 KB', rpc: 'Encrypt', bytes: 4096 },
  { title: 'Decrypt 4 KB', rpc: 'Decrypt', bytes: 4096 },
]

/** The requests of a call, one for each key, as gRPC frames one behind the other. */
export function framesOf({ rpc, bytes }: MeasuredCall, installation: Installation): Buffer {
  const { keyIds, ciphertexts } = installation
  switch (rpc) {
    case 'Encrypt': {
      const plaintext = Buffer.alloc(bytes, 7)
      return Buffer.concat(keyIds.map((keyId) => frame(rpc, { keyId, plaintext })))
    }
    case 'Decrypt': {
      const blobs = ciphertexts.get(bytes) ?? []
      return Buffer.concat(blobs.map((ciphertextBlob) => frame(rpc, { ciphertextBlob })))
    }
    case 'GenerateDataKey':
      return Buffer.concat(keyIds.map((keyId) => frame(rpc, { keyId, keySpec: 'AES_256' })))
  }
}

/** Uncompressed; https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
function frame(rpc: RpcName, request: Readonly<Record<string, unknown>>): Buffer {
  const message = encodeMessage(CONTRACT[rpc].request, request)
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}

/** The calls that are measured, and their requests as gRPC frames. */

import { CONTRACT } from '../../src/contract/contract.ts'
import { encodeMessage } from '../../src/contract/wire.ts'
import type { RpcName } from '../../src/service.ts'

/** The sizes of plaintexts. */
export const PLAINTEXT_BYTES = [32, 4096] as const

/** The key specs that sign, and by which algorithm. */
export const SIGNING = {
  RSA_2048: 'RSASSA_PKCS1_V1_5_SHA_256',
  ECC_NIST_P256: 'ECDSA_SHA_256',
} as const

/** A key spec that signs here. */
export type SigningSpec = keyof typeof SIGNING

/** All of them. */
export const SIGNING_SPECS = Object.keys(SIGNING) as readonly SigningSpec[]

/** What a generator needs to know of an installation. */
export interface Installation {
  readonly home: string
  readonly keyIds: readonly string[]
  /** For each size of plaintext, one ciphertext for each key. */
  readonly ciphertexts: ReadonlyMap<number, readonly Buffer[]>
  /** A key that signs, of each spec that was asked for. */
  readonly signingKeyIds: Readonly<Partial<Record<SigningSpec, string>>>
}

/** A call that is measured. */
export type MeasuredCall = {
  /** As the table names it. */
  readonly title: string
  /** Of the plaintext, the data key or the message. */
  readonly bytes: number
} & (
  | { readonly rpc: 'Encrypt' | 'Decrypt' | 'GenerateDataKey' }
  | { readonly rpc: 'Sign'; readonly spec: SigningSpec }
)

/** All of them. */
export const CALLS: readonly MeasuredCall[] = [
  { title: 'Encrypt 32 B', rpc: 'Encrypt', bytes: 32 },
  { title: 'Decrypt 32 B', rpc: 'Decrypt', bytes: 32 },
  { title: 'GenerateDataKey 32 B', rpc: 'GenerateDataKey', bytes: 32 },
  { title: 'Encrypt 4 KB', rpc: 'Encrypt', bytes: 4096 },
  { title: 'Decrypt 4 KB', rpc: 'Decrypt', bytes: 4096 },
  { title: 'Sign RSA_2048', rpc: 'Sign', spec: 'RSA_2048', bytes: 32 },
  { title: 'Sign ECC_NIST_P256', rpc: 'Sign', spec: 'ECC_NIST_P256', bytes: 32 },
]

/** The requests of a call, one for each key, as gRPC frames one behind the other. */
export function framesOf(call: MeasuredCall, installation: Installation): Buffer {
  const { keyIds, ciphertexts, signingKeyIds } = installation
  const { rpc, bytes } = call
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
    case 'Sign':
      return frame(rpc, {
        keyId: signingKeyIds[call.spec],
        message: Buffer.alloc(bytes, 7),
        messageType: 'RAW',
        signingAlgorithm: SIGNING[call.spec],
      })
  }
}

/** Uncompressed; https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
function frame(rpc: RpcName, request: Readonly<Record<string, unknown>>): Buffer {
  const message = encodeMessage(CONTRACT[rpc].request, request)
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}

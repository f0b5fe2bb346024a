/** A call as a door hands it to the pipeline. */

import type { Caller } from '../model/caller.ts'
import type { OperationName, Operations } from '../operations/operation.ts'
import type { CallLimits } from '../pkcs11/hsm.ts'

/** A call of an operation through a door. */
export interface Call<N extends OperationName> {
  /** Through which door it came. */
  readonly door: 'grpc' | 'aws' | 'jobs' | 'development' | 'seed'
  /** A UUID that the answer, the audit record and the log share. */
  readonly requestId: string
  /**
   * Says who calls. Asked by the pipeline, so that a refusal is audited like everything else.
   *
   * @throws KmsError UnrecognizedClientException when it cannot tell.
   */
  readonly authenticate: () => Caller | Promise<Caller>
  /** Decodes the request; asked by the pipeline for the same reason. */
  readonly request: () => Operations[N]['request']
  /** The address that the call came from, for policies and the audit record. */
  readonly sourceAddress?: string
  /** Whether it came over TLS; unless given, as the gRPC door has it: always. */
  readonly secureTransport?: boolean
  /** What the client says of itself, for the audit record. */
  readonly userAgent?: string
  readonly limits: CallLimits
}

/** The way that every call takes. */
export interface Pipeline {
  /**
   * Runs a call: authenticates, resolves, authorises, checks, runs and audits it.
   *
   * @throws KmsError and nothing else.
   */
  call<N extends OperationName>(name: N, call: Call<N>): Promise<Operations[N]['response']>
}

/**
 * What door and HSM process say to each other on the management pipe: JSON, since it is rare, in
 * the same frames as the data.
 */

import type { FailureName, GrpcStatus } from '../model/failures.ts'
import type { CipherSuite } from '../model/key.ts'
import type { KeyKind } from '../model/key-specs.ts'
import type { BackingKeyKind } from './hsm.ts'
import type { ImportVerbs } from './import/hsm-imports.ts'
import type { HsmReport, HsmSettings, TokenIdentity } from './settings.ts'

/** The verbs of object management: what each takes and answers. */
export interface ManagementVerbs extends ImportVerbs {
  suite: { readonly takes: null; readonly answers: CipherSuite }
  /** Why the token makes no keys of the kind; `null` when it does. */
  lacks: { readonly takes: KeyKind; readonly answers: string | null }
  /** Of a pair the public half, in base64. */
  generateBackingKey: {
    readonly takes: { readonly id: string; readonly label: string } & BackingKeyKind
    readonly answers: string | null
  }
  /** The public half is in base64. */
  provesBackingKey: {
    readonly takes: {
      readonly id: string
      readonly publicKey?: string
      readonly imported?: boolean
    } & BackingKeyKind
    readonly answers: boolean
  }
  /** In base64, as far as the token tells. */
  publicKeyOf: {
    readonly takes: { readonly id: string } & KeyKind
    readonly answers: string | null
  }
  destroyBackingKey: { readonly takes: string; readonly answers: null }
  /** For each key its id's 32 hex digits and its suite's digit, 0 without one, all in one text. */
  listBackingKeys: { readonly takes: null; readonly answers: string }
  createCanary: { readonly takes: null; readonly answers: string }
  /** Finds the canary afresh and uses it. */
  proveCanary: { readonly takes: null; readonly answers: null }
  /** Looks again for a backing key that a worker does not find. */
  findBackingKey: { readonly takes: string; readonly answers: boolean }
  check: { readonly takes: null; readonly answers: HsmReport }
}

/** The name of a management verb. */
export type ManagementVerb = keyof ManagementVerbs

/** From the door: the settings first, then calls. */
export type ToProcess =
  | { readonly kind: 'start'; readonly settings: HsmSettings; readonly workerPipes: number }
  | { readonly kind: 'call'; readonly sequence: number; readonly call: ManagementCall }

/** A call of one of the verbs. */
export type ManagementCall = {
  [V in ManagementVerb]: { readonly verb: V; readonly input: ManagementVerbs[V]['takes'] }
}[ManagementVerb]

/** From the process. */
export type FromProcess =
  | { readonly kind: 'answer'; readonly sequence: number; readonly answer: unknown }
  | { readonly kind: 'failure'; readonly sequence: number; readonly failure: Failure }
  | {
      readonly kind: 'log'
      readonly level: 'info' | 'warn' | 'error'
      readonly message: string
      readonly fields?: object
    }
  /** Serving, with this many of the pipes. */
  | { readonly kind: 'ready'; readonly identity: TokenIdentity; readonly workers: number }
  /** About to end. `refused`: a new start would not help. */
  | { readonly kind: 'ending'; readonly why: 'down' | 'refused'; readonly reason: string }

/** A failure on its way to the door. */
export interface Failure {
  /** Absent for what the caller may not see. */
  readonly name?: FailureName
  readonly grpc?: GrpcStatus
  readonly message: string
}

/** What is asked before anything is done, and who answers: the pipeline does. */

import type { Caller } from '../model/caller.ts'
import type { Grant } from '../model/grant.ts'
import type { Key } from '../model/key.ts'
import type { Decision } from '../policy/evaluate.ts'
import type { ConditionValues } from '../policy/request.ts'

/** The values of condition keys (`kms:EncryptionAlgorithm`) that a request gives, by AWS's names. */
export type Conditions = Readonly<
  Record<
    string,
    string | number | boolean | Date | readonly string[] | ReadonlyMap<string, string> | undefined
  >
>

/** What policies may ask of a call whatever it is about. */
export interface CallFacts {
  readonly sourceAddress?: string
  /** Whether it came over TLS. */
  readonly secureTransport: boolean
  readonly userAgent?: string
}

/** A question of authorisation. */
export interface Question {
  readonly caller: Caller
  /** `kms:Encrypt`, or `keyslot:…` for keyslot's own. */
  readonly permission: string
  readonly resource: { readonly arn: string; readonly account: string }
  /** The key, if the resource is one, and it exists. */
  readonly key?: Key
  /** The name of the alias by which the request names the key, `alias/` included. */
  readonly aliasName?: string
  /** Whether the request names the same key twice; of ReEncrypt. */
  readonly onSameKey?: boolean
  readonly conditions: Conditions
  readonly call: CallFacts
  /** Which grants can give the permission. */
  readonly grantable: boolean | ((grant: Grant) => boolean)
  /** Whether principals of other accounts may use it. */
  readonly otherAccounts: boolean
  /** The only grants that count, and then the key policy does not; of RetireGrant. */
  readonly grants?: readonly Grant[]
}

/** Decides, by policies and grants as they are now. */
export interface Authority {
  decide(question: Question): Promise<Decision>
  /** What policies may ask of this call, aliases and tags of the key left out. */
  conditionsOf(question: Question): ConditionValues
  /** The principal of an ARN as it would call; a role as one of its sessions. */
  principal(arn: string): Promise<Caller | undefined>
}

/**
 * A scenario as data: what is asked through a door, one call after the other, and how each ends.
 * `$name.path` in a request stands for a part of the answer that was saved under the name, and a
 * function for what it makes of all that was saved.
 */

import type { PlainMessage } from '../../../src/contract/wire.ts'
import type { FailureName } from '../../../src/model/failures.ts'
import type { RpcName } from '../../../src/service.ts'

/** What was saved, by name. */
export type Saved = ReadonlyMap<string, PlainMessage>

/** Who calls: the root of the account, or a user of it who may do nothing. */
export type CallerName = 'root' | 'nobody'

/** One call of a scenario. */
export interface Step {
  readonly call: RpcName
  readonly request?: Readonly<Record<string, unknown>>
  /** The root of the account unless given. */
  readonly as?: CallerName
  /** Saves the answer under this name. */
  readonly save?: string
  /** How it fails; it succeeds unless given. */
  readonly fails?: FailureName
  /** What its message says. */
  readonly says?: RegExp
  /** So much later than the step before. */
  readonly laterMs?: number
  /** Whether what the scenario has made in the token is lost before, below the service. */
  readonly lost?: boolean
}

/** Calls one after the other. */
export interface Scenario {
  readonly name: string
  readonly steps: readonly Step[]
}

/** An id that no key has. */
export const MISSING = '00000000-0000-4000-8000-000000000000'
/** A key of an account that is none of the installation's. */
export const FOREIGN = `arn:aws:kms:eu-central-1:999999999999:key/${MISSING}`
/** A key of another Region. */
export const ELSEWHERE = `arn:aws:kms:us-west-2:111122223333:key/${MISSING}`
/** What is no ARN of a key. */
export const NO_ARN = 'arn:aws:kms:eu-central-1:x:key/y'
/** What is encrypted, signed and so on. */
export const PLAN = Buffer.from('attack at dawn')

/** An alias of a key that the scenario has made and saved: the next door finds its name free. */
export function aliasOfOwn(key: string, name: string | number): (saved: Saved) => string {
  return (saved) => {
    const { keyId } = (saved.get(key)?.keyMetadata ?? {}) as { readonly keyId?: string }
    return `alias/${keyId}/${name}`
  }
}

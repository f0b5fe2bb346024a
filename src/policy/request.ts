/** What is asked of policies and grants: who wants to do what, with which resource, how. */

import type { Caller } from '../model/caller.ts'
import type { EncryptionContext } from '../model/encryption-context.ts'

/**
 * The values of condition keys in a request, by their names in lower case: a list for a key that
 * can have several. Any `Map` is one; so is what finds a value only when a policy asks for it.
 * What follows from the caller alone (`aws:PrincipalArn`, `aws:PrincipalTag/…`, `aws:TokenIssueTime`,
 * `kms:CallerAccount`, …) is read from the caller and never asked here.
 */
export interface ConditionValues {
  get(key: string): string | readonly string[] | undefined
}

/** What is asked. */
export interface PolicyRequest {
  readonly caller: Caller
  /** The permission, such as `kms:Encrypt`; its case does not matter. */
  readonly action: string
  /** `*` as ARN for what concerns no single resource. */
  readonly resource: { readonly arn: string; readonly account: string }
  readonly conditions: ConditionValues
  /** The encryption context of the request, empty if it has none; grants may be bound to it. */
  readonly encryptionContext?: EncryptionContext
  /** Whether a grant can give the permission. */
  readonly grantable: boolean
  /**
   * Of a web identity that assumes a role: the identity provider that vouches for it, as its ARN.
   * Only `{"Federated": …}` names such a caller, and it has no policies of its own.
   */
  readonly provider?: string
}

/** Reads a value from a request; `undefined` if there is none. */
export type Reader = (request: PolicyRequest) => string | readonly string[] | undefined

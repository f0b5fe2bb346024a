/**
 * Decides whether a caller may do something. This is the place where key policies, identity
 * policies and grants will be evaluated; until then the root of an account may do everything in
 * its account, keyslot's own jobs may do what only they may, and everybody else is refused.
 */

import type { Caller } from '../model/caller.ts'
import { fail } from '../model/failures.ts'
import type { Conditions } from '../operations/operation.ts'

/** What is asked. */
export interface Question {
  readonly caller: Caller
  /** `kms:Encrypt`, or `keyslot:…` for keyslot's own. */
  readonly permission: string
  readonly resource: { readonly arn: string; readonly account: string }
  /** Whether a grant can give the permission. */
  readonly grantable: boolean
  readonly conditions: Conditions
}

/** Whether the caller may. */
export function isAllowed({ caller, permission, resource }: Question): boolean {
  const isInternal = permission.startsWith('keyslot:')
  if (caller.kind === 'keyslot') return isInternal
  return caller.kind === 'root' && caller.account === resource.account && !isInternal
}

/**
 * Refuses a caller who may not.
 *
 * The words are the same whether the resource is there or not, so that a stranger learns nothing;
 * `arn` is the one that the request named, not the one it led to.
 *
 * @throws KmsError AccessDeniedException, always.
 */
export function deny(caller: Caller, permission: string, arn: string): never {
  fail(
    'AccessDeniedException',
    `User: ${caller.arn} is not authorized to perform: ${permission} on resource: ${arn} ` +
      'because the resource does not exist in this Region, no resource-based policies allow ' +
      'access, or a resource-based policy explicitly denies access',
  )
}

/**
 * Refuses grant tokens: as long as there are no grants, none is valid, and a caller who relies on
 * one has to hear of it.
 *
 * @throws KmsError InvalidGrantTokenException.
 */
export function refuseGrantTokens(request: object): void {
  if (!('grantTokens' in request)) return
  const { grantTokens } = request as { readonly grantTokens: readonly string[] }
  if (grantTokens.length > 0) fail('InvalidGrantTokenException', 'The grant token is not valid.')
}

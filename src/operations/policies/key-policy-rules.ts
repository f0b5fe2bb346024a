/** What AWS KMS asks of a key policy, and what becomes of the principals that it names. */

import type { Caller } from '../../model/caller.ts'
import { fail } from '../../model/failures.ts'
import { parsePrincipalArn } from '../../model/identities/principal.ts'
import type { KeyPolicy } from '../../model/key.ts'
import { leavesSomebodyInCharge } from '../../policy/default-policy.ts'
import { compilePolicy, principalsNamed } from '../../policy/document.ts'
import type { ConditionValues } from '../../policy/request.ts'
import type { Store } from '../../store/store.ts'

/** The only policy that a key has. https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyPolicy.html */
export const POLICY_NAME = 'default'

const UNIQUE_ID = /^A(?:ID|RO)A[A-Z0-9]+$/

/** A policy about to be put, and the call that puts it. */
interface Proposal {
  readonly text: string
  readonly bypassPolicyLockoutSafetyCheck: boolean
  readonly resource: { readonly arn: string; readonly account: string }
  readonly caller: Caller
  readonly conditions: ConditionValues
}

/**
 * Refuses a policy by another name than `default`.
 *
 * @throws KmsError NotFoundException.
 */
export function checkPolicyName(name: string | undefined): void {
  if (name !== POLICY_NAME) fail('NotFoundException', 'No such policy exists.')
}

/**
 * Reads a policy and binds the users and roles that it names to those who are there now.
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html
 *
 * @throws KmsError MalformedPolicyDocumentException for a policy that is none, that names somebody
 *   who does not exist, or by which the caller could not change it again; LimitExceededException
 *   for one that is longer than 32,768 bytes.
 */
export async function keyPolicyOf(store: Store, proposal: Proposal): Promise<KeyPolicy> {
  const { text, caller, resource, conditions } = proposal
  const policy = compilePolicy(text, 'key')
  const principalIds = await bindPrincipals(store, principalsNamed(policy))
  if (
    !proposal.bypassPolicyLockoutSafetyCheck &&
    !leavesSomebodyInCharge(policy, { caller, resource, conditions }, { principalIds })
  ) {
    const message = 'The new key policy will not allow you to update the key policy in the future.'
    fail('MalformedPolicyDocumentException', message)
  }
  return { text, principalIds }
}

async function bindPrincipals(
  store: Store,
  named: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const bound = new Map<string, string>()
  for (const name of named) {
    const principal = await store.identities.find(name)
    const kind = parsePrincipalArn(name)?.kind
    // A root is its account, which no other ever is, and it may be an account that is not here.
    if (principal !== undefined && kind !== 'root') bound.set(name, principal.principalId)
    else if (isIdentity(name) && kind !== 'root') refusePrincipals()
  }
  return bound
}

/** Whether it is a user, a role or a session; a service, say, exists wherever it is named. */
function isIdentity(name: string): boolean {
  return UNIQUE_ID.test(name) || /^arn:aws:(?:iam::\d+:(?:user|role)\/|sts:)/.test(name)
}

function refusePrincipals(): never {
  const message = 'Policy contains a statement with one or more invalid principals.'
  fail('MalformedPolicyDocumentException', message)
}

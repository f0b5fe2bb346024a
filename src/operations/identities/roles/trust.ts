/** Trust policies: who may assume a role. */

import { fail } from '../../../model/failures.ts'
import type { TrustPolicy } from '../../../model/identities/principal.ts'
import { compilePolicy, principalsNamed } from '../../../policy/document.ts'
import type { Store } from '../../../store/store.ts'

/**
 * Reads a trust policy and binds the ARNs in it to whom they mean now, so that nobody who is made
 * later under one of these names may assume the role.
 *
 * @throws KmsError MalformedPolicyDocumentException, also for a user or role that does not exist.
 */
export async function boundTrust(store: Store, text: string): Promise<TrustPolicy> {
  const principalIds = new Map<string, string>()
  for (const named of principalsNamed(compilePolicy(text, 'trust'))) {
    if (
      !/^arn:aws:(?:iam::[0-9]{12}:(?:root|user\/|role\/)|sts::[0-9]{12}:assumed-role\/)/.test(
        named,
      )
    ) {
      continue
    }
    const found = await store.identities.find(named)
    if (found === undefined) {
      fail('MalformedPolicyDocumentException', `Invalid principal in policy: "AWS":"${named}"`)
    }
    principalIds.set(named, found.principalId)
  }
  return { text, principalIds }
}

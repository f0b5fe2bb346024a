/** GetKeyPolicy. */

import { anyState, keyById, operation } from '../operation.ts'
import { checkPolicyName, POLICY_NAME } from './key-policy-rules.ts'
import { policyAsRead } from './policy-as-read.ts'

/**
 * Gets the key policy of a key, as it was put.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyPolicy.html
 */
export const GetKeyPolicy = operation('GetKeyPolicy', {
  needs: { key: keyById({ aliases: false, states: anyState, grantable: false }) },
  changes: false,

  async run({ request, key, store }) {
    checkPolicyName(request.policyName)
    return { policy: await policyAsRead(store, key.policy), policyName: POLICY_NAME }
  },
})

/** PutKeyPolicy. */

import { changeKey } from '../keys/change-key.ts'
import { anyState, keyById, operation } from '../operation.ts'
import { checkPolicyName, keyPolicyOf } from './key-policy-rules.ts'

/**
 * Puts a new key policy in the place of a key's; in effect when acknowledged.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
 */
export const PutKeyPolicy = operation('PutKeyPolicy', {
  needs: { key: keyById({ aliases: false, states: anyState, grantable: false }) },
  changes: true,

  conditions: ({ bypassPolicyLockoutSafetyCheck }) => ({
    'kms:BypassPolicyLockoutSafetyCheck': bypassPolicyLockoutSafetyCheck,
  }),

  async run({ request, key, store, caller, conditions }) {
    checkPolicyName(request.policyName)
    const { policy: text, bypassPolicyLockoutSafetyCheck } = request
    const call = { caller, conditions, resource: key, bypassPolicyLockoutSafetyCheck }
    const policy = await keyPolicyOf(store, { text, ...call })
    await changeKey(store, key, anyState, { policy })
    return {}
  },
})

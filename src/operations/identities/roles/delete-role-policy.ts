/** DeleteRolePolicy. */

import { operation } from '../../operation.ts'
import { role } from '../../principals.ts'
import { change, withoutPolicy } from '../principal-rules.ts'

/**
 * Removes an inline policy from a role; in effect when acknowledged.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRolePolicy.html
 */
export const DeleteRolePolicy = operation('DeleteRolePolicy', {
  needs: { role: role('iam:DeleteRolePolicy') },
  changes: true,

  async run({ request, role, store }) {
    await change(store, role, (now) => withoutPolicy(now, request.policyName))
    return {}
  },
})

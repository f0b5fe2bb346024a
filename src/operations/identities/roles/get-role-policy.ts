/** GetRolePolicy. */

import { operation } from '../../operation.ts'
import { role } from '../../principals.ts'
import { existing, policyOf } from '../principal-rules.ts'

/**
 * Shows an inline policy of a role as it was put.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html
 */
export const GetRolePolicy = operation('GetRolePolicy', {
  needs: { role: role('iam:GetRolePolicy') },
  changes: false,

  async run({ request, role }) {
    const found = existing(role)
    const { name: policyName, text: policyDocument } = policyOf(found, request.policyName)
    return { roleName: found.name, policyName, policyDocument }
  },
})

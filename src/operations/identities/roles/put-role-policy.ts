/** PutRolePolicy. */

import { operation } from '../../operation.ts'
import { role } from '../../principals.ts'
import { change, checkIdentityPolicy, withPolicy } from '../principal-rules.ts'

/**
 * Adds an inline policy to a role, or replaces it; in effect when acknowledged.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
 */
export const PutRolePolicy = operation('PutRolePolicy', {
  needs: { role: role('iam:PutRolePolicy') },
  changes: true,

  check: ({ policyDocument }) => checkIdentityPolicy(policyDocument),

  async run({ request, role, store }) {
    const { policyName: name, policyDocument: text } = request
    await change(store, role, (now) => withPolicy(now, { name, text }))
    return {}
  },
})

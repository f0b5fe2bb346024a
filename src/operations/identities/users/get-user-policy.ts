/** GetUserPolicy. */

import { operation } from '../../operation.ts'
import { user } from '../../principals.ts'
import { existing, policyOf } from '../principal-rules.ts'

/**
 * Shows an inline policy of a user as it was put.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUserPolicy.html
 */
export const GetUserPolicy = operation('GetUserPolicy', {
  needs: { user: user('iam:GetUserPolicy') },
  changes: false,

  async run({ request, user }) {
    const found = existing(user)
    const { name: policyName, text: policyDocument } = policyOf(found, request.policyName)
    return { userName: found.name, policyName, policyDocument }
  },
})

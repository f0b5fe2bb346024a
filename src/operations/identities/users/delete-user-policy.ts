/** DeleteUserPolicy. */

import { operation } from '../../operation.ts'
import { user } from '../../principals.ts'
import { change, withoutPolicy } from '../principal-rules.ts'

/**
 * Removes an inline policy from a user; in effect when acknowledged.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUserPolicy.html
 */
export const DeleteUserPolicy = operation('DeleteUserPolicy', {
  needs: { user: user('iam:DeleteUserPolicy') },
  changes: true,

  async run({ request, user, store }) {
    await change(store, user, (now) => withoutPolicy(now, request.policyName))
    return {}
  },
})

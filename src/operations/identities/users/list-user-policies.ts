/** ListUserPolicies. */

import { operation } from '../../operation.ts'
import { user } from '../../principals.ts'
import { policyNamesOf } from '../principal-rules.ts'

/**
 * Lists the inline policies of a user.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUserPolicies.html
 */
export const ListUserPolicies = operation('ListUserPolicies', {
  needs: { user: user('iam:ListUserPolicies') },
  changes: false,

  run: ({ user, ...given }) => policyNamesOf('ListUserPolicies', user, given),
})

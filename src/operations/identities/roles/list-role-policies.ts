/** ListRolePolicies. */

import { operation } from '../../operation.ts'
import { role } from '../../principals.ts'
import { policyNamesOf } from '../principal-rules.ts'

/**
 * Lists the inline policies of a role.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRolePolicies.html
 */
export const ListRolePolicies = operation('ListRolePolicies', {
  needs: { role: role('iam:ListRolePolicies') },
  changes: false,

  run: ({ role, ...given }) => policyNamesOf('ListRolePolicies', role, given),
})

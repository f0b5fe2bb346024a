/** GetRole. */

import { operation } from '../../operation.ts'
import { role } from '../../principals.ts'
import { describedRole } from '../described.ts'
import { existing } from '../principal-rules.ts'

/**
 * Describes a role.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html
 */
export const GetRole = operation('GetRole', {
  needs: { role: role('iam:GetRole') },
  changes: false,

  run: async ({ role }) => ({ role: describedRole(existing(role)) }),
})

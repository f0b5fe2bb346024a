/** DeleteRolePermissionsBoundary. */

import { operation } from '../../operation.ts'
import { role } from '../../principals.ts'
import { change } from '../principal-rules.ts'

/**
 * Removes the bound of what a role may do.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRolePermissionsBoundary.html
 */
export const DeleteRolePermissionsBoundary = operation('DeleteRolePermissionsBoundary', {
  needs: { role: role('iam:DeleteRolePermissionsBoundary') },
  changes: true,

  async run({ role, store }) {
    await change(store, role, (now) => ({ ...now, boundary: undefined }))
    return {}
  },
})

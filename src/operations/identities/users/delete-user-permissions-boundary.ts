/** DeleteUserPermissionsBoundary. */

import { operation } from '../../operation.ts'
import { user } from '../../principals.ts'
import { change } from '../principal-rules.ts'

/**
 * Removes the bound of what a user may do.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUserPermissionsBoundary.html
 */
export const DeleteUserPermissionsBoundary = operation('DeleteUserPermissionsBoundary', {
  needs: { user: user('iam:DeleteUserPermissionsBoundary') },
  changes: true,

  async run({ user, store }) {
    await change(store, user, (now) => ({ ...now, boundary: undefined }))
    return {}
  },
})

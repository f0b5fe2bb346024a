/** DeleteUser. */

import { operation } from '../../operation.ts'
import { user } from '../../principals.ts'
import { remove } from '../principal-rules.ts'

/**
 * Deletes a user that has neither access keys nor policies.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html
 */
export const DeleteUser = operation('DeleteUser', {
  needs: { user: user('iam:DeleteUser') },
  changes: true,

  async run({ user, store }) {
    await remove(store, user)
    return {}
  },
})

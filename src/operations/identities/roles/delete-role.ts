/** DeleteRole. */

import { operation } from '../../operation.ts'
import { role } from '../../principals.ts'
import { remove } from '../principal-rules.ts'

/**
 * Deletes a role that has no policies; its sessions end at once.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html
 */
export const DeleteRole = operation('DeleteRole', {
  needs: { role: role('iam:DeleteRole') },
  changes: true,

  async run({ role, store }) {
    await remove(store, role)
    return {}
  },
})

/** PutUserPermissionsBoundary. */

import { operation } from '../../operation.ts'
import { user } from '../../principals.ts'
import { change, checkBoundary } from '../principal-rules.ts'

/**
 * Bounds what a user may do; in effect when acknowledged.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPermissionsBoundary.html
 */
export const PutUserPermissionsBoundary = operation('PutUserPermissionsBoundary', {
  needs: { user: user('iam:PutUserPermissionsBoundary') },
  changes: true,

  check: ({ permissionsBoundary }) => checkBoundary(permissionsBoundary),

  async run({ request, user, store }) {
    const { permissionsBoundary: boundary } = request
    await change(store, user, (now) => ({ ...now, boundary }))
    return {}
  },
})

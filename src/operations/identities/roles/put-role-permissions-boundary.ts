/** PutRolePermissionsBoundary. */

import { operation } from '../../operation.ts'
import { role } from '../../principals.ts'
import { change, checkBoundary } from '../principal-rules.ts'

/**
 * Bounds what a role may do; in effect when acknowledged.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePermissionsBoundary.html
 */
export const PutRolePermissionsBoundary = operation('PutRolePermissionsBoundary', {
  needs: { role: role('iam:PutRolePermissionsBoundary') },
  changes: true,

  check: ({ permissionsBoundary }) => checkBoundary(permissionsBoundary),

  async run({ request, role, store }) {
    const { permissionsBoundary: boundary } = request
    await change(store, role, (now) => ({ ...now, boundary }))
    return {}
  },
})

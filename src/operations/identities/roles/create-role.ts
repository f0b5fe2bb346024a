/** CreateRole. */

import type { Operations } from '../../operation.ts'
import { operation } from '../../operation.ts'
import type { PrincipalNeed, PrincipalQuery } from '../../principals.ts'
import { describedRole } from '../described.ts'
import { insertPrincipal } from '../new-principal.ts'
import { checkBoundary, checkPrincipalTags, tagConditions } from '../principal-rules.ts'
import { boundTrust } from './trust.ts'

type Request = Operations['CreateRole']['request']

const named = ({ roleName: name, path }: Request): PrincipalQuery => ({ kind: 'role', name, path })
const made: PrincipalNeed<Request> = {
  kind: 'principal',
  permission: 'iam:CreateRole',
  find: named,
}
const tagged: PrincipalNeed<Request> = {
  kind: 'principal',
  permission: 'iam:TagRole',
  find: (request) => (request.tags.length > 0 ? named(request) : undefined),
}

/**
 * Makes a role.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
 */
export const CreateRole = operation('CreateRole', {
  needs: { role: made, tags: tagged },
  changes: true,

  check({ tags, permissionsBoundary }) {
    checkPrincipalTags(tags)
    checkBoundary(permissionsBoundary)
  },

  conditions: ({ tags }) => tagConditions(tags),

  async run({ request, role, store, clock }) {
    const { path = '/', description, tags, permissionsBoundary: boundary } = request
    const trust = await boundTrust(store, request.assumeRolePolicyDocument)
    const { maxSessionDuration: sessionSecondsMax = 3600 } = request
    const said = { path, description, tags, boundary, trust, sessionSecondsMax }
    const made = { ...said, createdMs: clock() }
    const principal = await insertPrincipal(store, { ...role, kind: 'role' }, made)
    return { role: describedRole(principal) }
  },
})

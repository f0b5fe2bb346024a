/** CreateUser. */

import type { Operations } from '../../operation.ts'
import { operation } from '../../operation.ts'
import type { PrincipalNeed, PrincipalQuery } from '../../principals.ts'
import { describedUser } from '../described.ts'
import { insertPrincipal } from '../new-principal.ts'
import { checkBoundary, checkPrincipalTags, tagConditions } from '../principal-rules.ts'

type Request = Operations['CreateUser']['request']

const named = ({ userName: name, path }: Request): PrincipalQuery => ({ kind: 'user', name, path })
const made: PrincipalNeed<Request> = {
  kind: 'principal',
  permission: 'iam:CreateUser',
  find: named,
}
const tagged: PrincipalNeed<Request> = {
  kind: 'principal',
  permission: 'iam:TagUser',
  find: (request) => (request.tags.length > 0 ? named(request) : undefined),
}

/**
 * Makes a user.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html
 */
export const CreateUser = operation('CreateUser', {
  needs: { user: made, tags: tagged },
  changes: true,

  check({ tags, permissionsBoundary }) {
    checkPrincipalTags(tags)
    checkBoundary(permissionsBoundary)
  },

  conditions: ({ tags }) => tagConditions(tags),

  async run({ request, user, store, clock }) {
    const { path = '/', tags, permissionsBoundary: boundary } = request
    const made = { path, description: '', tags, boundary, createdMs: clock() }
    const principal = await insertPrincipal(store, { ...user, kind: 'user' }, made)
    return { user: describedUser(principal) }
  },
})

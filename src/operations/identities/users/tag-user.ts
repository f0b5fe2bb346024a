/** TagUser. */

import { operation } from '../../operation.ts'
import { user } from '../../principals.ts'
import { change, checkPrincipalTags, tagConditions, withTags } from '../principal-rules.ts'

/**
 * Adds tags to a user, or changes their values.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagUser.html
 */
export const TagUser = operation('TagUser', {
  needs: { user: user('iam:TagUser') },
  changes: true,

  check: ({ tags }) => checkPrincipalTags(tags),

  conditions: ({ tags }) => tagConditions(tags),

  async run({ request, user, store }) {
    await change(store, user, (now) => withTags(now, request.tags))
    return {}
  },
})

/** UntagUser. */

import { operation } from '../../operation.ts'
import { user } from '../../principals.ts'
import { change, withoutTags } from '../principal-rules.ts'

/**
 * Removes tags from a user.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagUser.html
 */
export const UntagUser = operation('UntagUser', {
  needs: { user: user('iam:UntagUser') },
  changes: true,

  conditions: ({ tagKeys }) => ({ 'aws:TagKeys': tagKeys }),

  async run({ request, user, store }) {
    await change(store, user, (now) => withoutTags(now, request.tagKeys))
    return {}
  },
})

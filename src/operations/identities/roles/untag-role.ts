/** UntagRole. */

import { operation } from '../../operation.ts'
import { role } from '../../principals.ts'
import { change, withoutTags } from '../principal-rules.ts'

/**
 * Removes tags from a role.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagRole.html
 */
export const UntagRole = operation('UntagRole', {
  needs: { role: role('iam:UntagRole') },
  changes: true,

  conditions: ({ tagKeys }) => ({ 'aws:TagKeys': tagKeys }),

  async run({ request, role, store }) {
    await change(store, role, (now) => withoutTags(now, request.tagKeys))
    return {}
  },
})

/** TagRole. */

import { operation } from '../../operation.ts'
import { role } from '../../principals.ts'
import { change, checkPrincipalTags, tagConditions, withTags } from '../principal-rules.ts'

/**
 * Adds tags to a role, or changes their values.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagRole.html
 */
export const TagRole = operation('TagRole', {
  needs: { role: role('iam:TagRole') },
  changes: true,

  check: ({ tags }) => checkPrincipalTags(tags),

  conditions: ({ tags }) => tagConditions(tags),

  async run({ request, role, store }) {
    await change(store, role, (now) => withTags(now, request.tags))
    return {}
  },
})

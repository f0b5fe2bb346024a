/** TagResource. */

import { fail } from '../../model/failures.ts'
import { TAGS_PER_KEY_MAX } from '../../model/quotas.ts'
import { keyById, operation, present } from '../operation.ts'
import { checkTags, tagConditions, tagsOf } from './tag-rules.ts'

/**
 * Adds tags to a key, or changes their values.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_TagResource.html
 */
export const TagResource = operation('TagResource', {
  needs: { key: keyById({ aliases: false, states: present, grantable: false }) },
  changes: true,

  check: ({ tags }) => checkTags(tags),

  conditions: ({ tags }) => tagConditions(tags),

  async run({ request, key, store }) {
    if (!(await store.tags.put(key.keyId, tagsOf(request.tags), TAGS_PER_KEY_MAX))) {
      fail('LimitExceededException', `${key.arn} may have at most ${TAGS_PER_KEY_MAX} tags.`)
    }
    return {}
  },
})

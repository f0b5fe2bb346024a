/** UntagResource. */

import { keyById, operation, present } from '../operation.ts'
import { checkTagKeys } from './tag-rules.ts'

/**
 * Removes tags from a key.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_UntagResource.html
 */
export const UntagResource = operation('UntagResource', {
  needs: { key: keyById({ aliases: false, states: present, grantable: false }) },
  changes: true,

  check: ({ tagKeys }) => checkTagKeys(tagKeys),

  conditions: ({ tagKeys }) => ({ 'aws:TagKeys': tagKeys }),

  async run({ request, key, store }) {
    await store.tags.remove(key.keyId, request.tagKeys)
    return {}
  },
})

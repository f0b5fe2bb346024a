/** ListResourceTags. */

import { anyState, keyById, operation } from '../operation.ts'
import { page } from '../page.ts'

/**
 * Lists the tags of a key.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_ListResourceTags.html
 */
export const ListResourceTags = operation('ListResourceTags', {
  needs: { key: keyById({ aliases: false, states: anyState, grantable: false }) },
  changes: false,

  async run({ request, key, store }) {
    const { items, ...rest } = await page({
      query: { operation: 'ListResourceTags', place: key, filter: key.keyId },
      request,
      defaultLimit: 50,
      limitMax: 50,
      read: (wanted) => store.tags.list(key.keyId, wanted),
      keyOf: (tag) => tag.key,
    })
    return { tags: items.map((tag) => ({ tagKey: tag.key, tagValue: tag.value })), ...rest }
  },
})

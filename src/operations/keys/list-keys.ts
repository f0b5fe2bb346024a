/** ListKeys. */

import { account, operation } from '../operation.ts'
import { page } from '../page.ts'

/**
 * Lists the keys of the caller's account and Region.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeys.html
 */
export const ListKeys = operation('ListKeys', {
  needs: { account: account() },
  changes: false,

  async run({ request, account, store }) {
    const { items, ...rest } = await page({
      query: { operation: 'ListKeys', place: account },
      request,
      defaultLimit: 100,
      limitMax: 1000,
      read: (wanted) => store.keys.list(account, wanted),
      keyOf: ({ keyId }) => keyId,
    })
    return { keys: items.map(({ keyId, arn }) => ({ keyId, keyArn: arn })), ...rest }
  },
})

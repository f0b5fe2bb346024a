/** ListOpenIDConnectProviders. */

import { account, operation } from '../../operation.ts'
import { page } from '../../page.ts'

/**
 * Lists the identity providers of the caller's account.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListOpenIDConnectProviders.html
 */
export const ListOpenIDConnectProviders = operation('ListOpenIDConnectProviders', {
  needs: { account: account('iam:ListOpenIDConnectProviders') },
  changes: false,

  async run({ request, account, store }) {
    const { items, ...rest } = await page({
      query: { operation: 'ListOpenIDConnectProviders', place: account },
      request,
      defaultLimit: 100,
      limitMax: 1000,
      read: (wanted) => store.identities.providers.list(account.account, wanted),
      keyOf: ({ arn }) => arn,
    })
    return { openIdConnectProviderList: items.map(({ arn }) => ({ arn })), ...rest }
  },
})

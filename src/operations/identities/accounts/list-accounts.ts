/** ListAccounts. */

import { operation } from '../../operation.ts'
import { page } from '../../page.ts'
import { installation } from '../../principals.ts'
import { describedAccount } from '../described.ts'

/**
 * Lists the accounts of the installation.
 * https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html
 */
export const ListAccounts = operation('ListAccounts', {
  needs: { installation: installation('organizations:ListAccounts') },
  changes: false,

  async run({ request, home, store }) {
    const { items, ...rest } = await page({
      query: { operation: 'ListAccounts', place: home },
      request,
      defaultLimit: 100,
      limitMax: 1000,
      read: (wanted) => store.identities.accounts.list(wanted),
      keyOf: ({ account }) => account,
    })
    return { accounts: items.map(describedAccount), ...rest }
  },
})

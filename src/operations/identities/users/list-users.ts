/** ListUsers. */

import { foldedName } from '../../../model/identities/principal.ts'
import { account, operation } from '../../operation.ts'
import { page } from '../../page.ts'
import { describedUser } from '../described.ts'

/**
 * Lists the users of the caller's account.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html
 */
export const ListUsers = operation('ListUsers', {
  needs: { account: account('iam:ListUsers') },
  changes: false,

  async run({ request, account, store }) {
    const { pathPrefix = '/' } = request
    const of = { account: account.account, kind: 'user', pathPrefix } as const
    const { items, ...rest } = await page({
      query: { operation: 'ListUsers', place: account, filter: pathPrefix },
      request,
      defaultLimit: 100,
      limitMax: 1000,
      read: (wanted) => store.identities.principals.list(of, wanted),
      keyOf: ({ name }) => foldedName(name),
    })
    return { users: items.map(describedUser), ...rest }
  },
})

/** ListRoles. */

import { foldedName } from '../../../model/identities/principal.ts'
import { account, operation } from '../../operation.ts'
import { page } from '../../page.ts'
import { describedRole } from '../described.ts'

/**
 * Lists the roles of the caller's account.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html
 */
export const ListRoles = operation('ListRoles', {
  needs: { account: account('iam:ListRoles') },
  changes: false,

  async run({ request, account, store }) {
    const { pathPrefix = '/' } = request
    const of = { account: account.account, kind: 'role', pathPrefix } as const
    const { items, ...rest } = await page({
      query: { operation: 'ListRoles', place: account, filter: pathPrefix },
      request,
      defaultLimit: 100,
      limitMax: 1000,
      read: (wanted) => store.identities.principals.list(of, wanted),
      keyOf: ({ name }) => foldedName(name),
    })
    return { roles: items.map(describedRole), ...rest }
  },
})

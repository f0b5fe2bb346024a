/** ListRetirableGrants. */

import { keyArn } from '../../model/arn.ts'
import { fail } from '../../model/failures.ts'
import type { AccountNeed, Operations } from '../operation.ts'
import { account, operation } from '../operation.ts'
import { page } from '../page.ts'
import { grantEntry } from './grant-entry.ts'
import { principalOf } from './grant-rules.ts'

type Request = Operations['ListRetirableGrants']['request']

const principal: AccountNeed<Request> = {
  ...account<Request>(),
  arn: ({ retiringPrincipal }) => retiringPrincipal,
}

/**
 * Lists the grants that a principal of the caller's account may retire, on keys of any account.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_ListRetirableGrants.html
 */
export const ListRetirableGrants = operation('ListRetirableGrants', {
  needs: { account: principal },
  changes: false,

  async run({ request, home, store }) {
    const { retiringPrincipal } = request
    if (retiringPrincipal.split(':')[4] !== home.account) {
      const message = `${retiringPrincipal} is not a principal of the account ${home.account}.`
      fail('InvalidArnException', message)
    }
    const retiring = await principalOf(store, retiringPrincipal)
    const { region } = home
    const { items, ...rest } = await page({
      query: { operation: 'ListRetirableGrants', place: home, filter: retiringPrincipal },
      request,
      defaultLimit: 50,
      limitMax: 100,
      read: (wanted) => store.grants.listRetirable({ ...retiring, region }, wanted),
      keyOf: ({ grantId }) => grantId,
    })
    const entries = items.map(async (grant) => {
      const key = await store.keys.find(grant.keyId)
      return grantEntry(store, key?.arn ?? keyArn(home, grant.keyId), grant)
    })
    return { grants: await Promise.all(entries), ...rest }
  },
})

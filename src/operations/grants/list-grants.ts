/** ListGrants. */

import { anyState, keyById, operation } from '../operation.ts'
import { page } from '../page.ts'
import { grantEntry } from './grant-entry.ts'
import { checkGrantId } from './grant-id.ts'

/**
 * Lists the grants of a key: all, of one grantee, or one.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_ListGrants.html
 */
export const ListGrants = operation('ListGrants', {
  needs: {
    key: keyById({ aliases: false, states: anyState, grantable: false, otherAccounts: true }),
  },
  changes: false,

  check: ({ grantId }) => checkGrantId(grantId),

  async run({ request, key, store }) {
    const { grantId, granteePrincipal: granteeArn } = request
    const { keyId, arn } = key
    const { items, ...rest } = await page({
      query: {
        operation: 'ListGrants',
        place: key,
        filter: JSON.stringify([keyId, grantId, granteeArn]),
      },
      request,
      defaultLimit: 50,
      limitMax: 100,
      read: (wanted) => store.grants.list({ keyId, grantId, granteeArn }, wanted),
      keyOf: (grant) => grant.grantId,
    })
    return { grants: await Promise.all(items.map((each) => grantEntry(store, arn, each))), ...rest }
  },
})

/** ListUserPolicies. */

import { operation } from '../../operation.ts'
import { page } from '../../page.ts'
import { user } from '../../principals.ts'
import { existing } from '../principal-rules.ts'

/**
 * Lists the inline policies of a user.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUserPolicies.html
 */
export const ListUserPolicies = operation('ListUserPolicies', {
  needs: { user: user('iam:ListUserPolicies') },
  changes: false,

  async run({ request, user, home }) {
    const { policies, principalId } = existing(user)
    const { items, ...rest } = await page({
      query: { operation: 'ListUserPolicies', place: home, filter: principalId },
      request,
      defaultLimit: 100,
      limitMax: 1000,
      read: async ({ after = '' }) => policies.filter(({ name }) => name > after),
      keyOf: ({ name }) => name,
    })
    return { policyNames: items.map(({ name }) => name), ...rest }
  },
})

/** ListRolePolicies. */

import { operation } from '../../operation.ts'
import { page } from '../../page.ts'
import { role } from '../../principals.ts'
import { existing } from '../principal-rules.ts'

/**
 * Lists the inline policies of a role.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRolePolicies.html
 */
export const ListRolePolicies = operation('ListRolePolicies', {
  needs: { role: role('iam:ListRolePolicies') },
  changes: false,

  async run({ request, role, home }) {
    const { policies, principalId } = existing(role)
    const { items, ...rest } = await page({
      query: { operation: 'ListRolePolicies', place: home, filter: principalId },
      request,
      defaultLimit: 100,
      limitMax: 1000,
      read: async ({ after = '' }) => policies.filter(({ name }) => name > after),
      keyOf: ({ name }) => name,
    })
    return { policyNames: items.map(({ name }) => name), ...rest }
  },
})

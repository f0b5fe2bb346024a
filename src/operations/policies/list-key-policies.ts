/** ListKeyPolicies. */

import { anyState, keyById, operation } from '../operation.ts'
import { page } from '../page.ts'
import { POLICY_NAME } from './key-policy-rules.ts'

/**
 * Lists the names of a key's policies: there is one, `default`.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeyPolicies.html
 */
export const ListKeyPolicies = operation('ListKeyPolicies', {
  needs: { key: keyById({ aliases: false, states: anyState, grantable: false }) },
  changes: false,

  async run({ request, key }) {
    const { items, ...rest } = await page({
      query: { operation: 'ListKeyPolicies', place: key, filter: key.keyId },
      request,
      defaultLimit: 100,
      limitMax: 1000,
      read: async ({ after = '' }) => (after < POLICY_NAME ? [POLICY_NAME] : []),
      keyOf: (name) => name,
    })
    return { policyNames: [...items], ...rest }
  },
})

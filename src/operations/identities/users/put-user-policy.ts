/** PutUserPolicy. */

import { operation } from '../../operation.ts'
import { user } from '../../principals.ts'
import { change, checkIdentityPolicy, withPolicy } from '../principal-rules.ts'

/**
 * Adds an inline policy to a user, or replaces it; in effect when acknowledged.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPolicy.html
 */
export const PutUserPolicy = operation('PutUserPolicy', {
  needs: { user: user('iam:PutUserPolicy') },
  changes: true,

  check: ({ policyDocument }) => checkIdentityPolicy(policyDocument),

  async run({ request, user, store }) {
    const { policyName: name, policyDocument: text } = request
    await change(store, user, (now) => withPolicy(now, { name, text }))
    return {}
  },
})

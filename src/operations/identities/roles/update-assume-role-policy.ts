/** UpdateAssumeRolePolicy. */

import { operation } from '../../operation.ts'
import { role } from '../../principals.ts'
import { change } from '../principal-rules.ts'
import { boundTrust } from './trust.ts'

/**
 * Changes who may assume a role; sessions that have begun go on.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAssumeRolePolicy.html
 */
export const UpdateAssumeRolePolicy = operation('UpdateAssumeRolePolicy', {
  needs: { role: role('iam:UpdateAssumeRolePolicy') },
  changes: true,

  async run({ request, role, store }) {
    const trust = await boundTrust(store, request.policyDocument)
    await change(store, role, (now) => ({ ...now, trust }))
    return {}
  },
})

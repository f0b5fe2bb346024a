/** GetCallerIdentity. */

import { operation } from '../operation.ts'
import { anybody } from '../principals.ts'

/**
 * Says who calls.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
 */
export const GetCallerIdentity = operation('GetCallerIdentity', {
  needs: { anybody: anybody('sts:GetCallerIdentity') },
  changes: false,

  run: async ({ caller: { principalId = '', account, arn } }) => ({
    userId: principalId,
    account,
    arn,
  }),
})

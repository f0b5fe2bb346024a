/** GetKeyRotationStatus. */

import { anyState, keyById, operation } from '../operation.ts'
import { checkRotates } from './rotation-rules.ts'

/**
 * Says whether automatic rotation is on, and when it is due. While a key waits for its deletion
 * the answer is that it is off; cancelling brings it back. A rotation on demand completes before
 * it is acknowledged, so that none is ever under way here.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyRotationStatus.html
 */
export const GetKeyRotationStatus = operation('GetKeyRotationStatus', {
  needs: {
    key: keyById({
      aliases: false,
      checkKind: checkRotates,
      states: anyState,
      grantable: false,
      otherAccounts: true,
    }),
  },
  changes: false,

  async run({ key }) {
    const rotation = key.state === 'PendingDeletion' ? undefined : key.rotation
    return {
      keyRotationEnabled: rotation !== undefined,
      keyId: key.arn,
      rotationPeriodInDays: rotation?.periodInDays,
      nextRotationDate: rotation && new Date(rotation.nextMs),
    }
  },
})

/** GetKeyRotationStatus. */

import { anyState, keyById, operation } from '../operation.ts'

/**
 * Says whether automatic rotation is on, and when it is due. Of keys that never rotate by
 * themselves, asymmetric, for MACs or imported, the answer is that it is off, and no error: tools
 * ask it of every key that there is. So it is while a key waits for its deletion; cancelling brings
 * it back. A rotation on demand completes before it is acknowledged, so that none is ever under way
 * here.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyRotationStatus.html
 */
export const GetKeyRotationStatus = operation('GetKeyRotationStatus', {
  needs: {
    key: keyById({ aliases: false, states: anyState, grantable: false, otherAccounts: true }),
  },
  changes: false,

  async run({ key }) {
    const rotation = key.state === 'PendingDeletion' ? undefined : key.rotation
    return {
      keyRotationEnabled: rotation !== undefined,
      keyId: key.keyId,
      rotationPeriodInDays: rotation?.periodInDays,
      nextRotationDate: rotation && new Date(rotation.nextMs),
    }
  },
})

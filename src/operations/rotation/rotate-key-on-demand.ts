/** RotateKeyOnDemand. */

import { enabled, keyById, operation } from '../operation.ts'
import { checkRotates } from './rotation-rules.ts'

/**
 * Rotates a key now: the new backing key is current when this is acknowledged.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_RotateKeyOnDemand.html
 */
export const RotateKeyOnDemand = operation('RotateKeyOnDemand', {
  needs: {
    key: keyById({ aliases: false, checkKind: checkRotates, states: enabled, grantable: false }),
  },
  changes: true,

  async run({ key, lifecycle }) {
    await lifecycle.rotateKey(key, 'ON_DEMAND')
    return { keyId: key.keyId }
  },
})

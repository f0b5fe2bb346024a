/** DisableKeyRotation. */

import { changeKey } from '../keys/change-key.ts'
import { enabled, keyById, operation } from '../operation.ts'
import { rotatesByItself } from './rotation-rules.ts'

/**
 * Switches automatic rotation off.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_DisableKeyRotation.html
 */
export const DisableKeyRotation = operation('DisableKeyRotation', {
  needs: { key: keyById(rotatesByItself) },
  changes: true,

  async run({ key, store }) {
    await changeKey(store, key, enabled, { rotation: null })
    return {}
  },
})

/** EnableKeyRotation. */

import { changeKey } from '../keys/change-key.ts'
import { enabled, keyById, operation } from '../operation.ts'
import { rotatesByItself, scheduleFrom } from './rotation-rules.ts'

const PERIOD_IN_DAYS_DEFAULT = 365

/**
 * Switches automatic rotation on, or changes its period, which is 365 days unless given; the next
 * rotation is a period from now.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html
 */
export const EnableKeyRotation = operation('EnableKeyRotation', {
  needs: { key: keyById(rotatesByItself) },
  changes: true,

  conditions: ({ rotationPeriodInDays }) => ({ 'kms:RotationPeriodInDays': rotationPeriodInDays }),

  async run({ request, key, store, clock }) {
    const { rotationPeriodInDays = PERIOD_IN_DAYS_DEFAULT } = request
    // Asking again for what is on already must not put the next rotation off.
    if (key.rotation?.periodInDays === rotationPeriodInDays) return {}
    await changeKey(store, key, enabled, { rotation: scheduleFrom(clock(), rotationPeriodInDays) })
    return {}
  },
})

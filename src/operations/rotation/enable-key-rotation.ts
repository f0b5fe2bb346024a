/** EnableKeyRotation. */

import { changeKey } from '../keys/change-key.ts'
import { enabled, keyById, operation } from '../operation.ts'
import { checkRotates, scheduleFrom } from './rotation-rules.ts'

/**
 * Switches automatic rotation on, or changes its period; the next rotation is a period from now.
 * Without a period it is the one last set, 365 days at first.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html
 */
export const EnableKeyRotation = operation('EnableKeyRotation', {
  needs: { key: keyById({ aliases: false, states: enabled, grantable: false }) },
  changes: true,

  conditions: ({ rotationPeriodInDays }) => ({ 'kms:RotationPeriodInDays': rotationPeriodInDays }),

  async run({ request, key, store, clock }) {
    checkRotates(key)
    const { rotationPeriodInDays = key.rotationPeriodInDays } = request
    // Asking again for what is on already must not put the next rotation off.
    if (key.rotation?.periodInDays === rotationPeriodInDays) return {}
    await changeKey(store, key, {
      rotation: scheduleFrom(clock(), rotationPeriodInDays),
      rotationPeriodInDays,
    })
    return {}
  },
})

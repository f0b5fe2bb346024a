/** DisableKey. */

import type { KeyState } from '../../model/key.ts'
import { keyById, operation } from '../operation.ts'
import { changeKey } from './change-key.ts'

const states: readonly KeyState[] = ['Enabled', 'Disabled']

/**
 * Switches a key off. No call that begins after the acknowledgement uses it.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_DisableKey.html
 */
export const DisableKey = operation('DisableKey', {
  needs: { key: keyById({ aliases: false, states, grantable: false }) },
  changes: true,

  async run({ key, store }) {
    await changeKey(store, key, states, { state: 'Disabled' })
    return {}
  },
})

/** EnableKey. */

import type { KeyState } from '../../model/key.ts'
import { keyById, operation } from '../operation.ts'
import { changeKey } from './change-key.ts'

const states: readonly KeyState[] = ['Enabled', 'Disabled']

/**
 * Switches a key on.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKey.html
 */
export const EnableKey = operation('EnableKey', {
  needs: { key: keyById({ aliases: false, states, grantable: false }) },
  changes: true,

  async run({ key, store }) {
    await changeKey(store, key, states, { state: 'Enabled' })
    return {}
  },
})

/** EnableKey. */

import { keyById, operation } from '../operation.ts'
import { changeKey } from './change-key.ts'

/**
 * Switches a key on.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKey.html
 */
export const EnableKey = operation('EnableKey', {
  needs: { key: keyById({ aliases: false, states: ['Enabled', 'Disabled'], grantable: false }) },
  changes: true,

  async run({ key, store }) {
    await changeKey(store, key, { state: 'Enabled' })
    return {}
  },
})

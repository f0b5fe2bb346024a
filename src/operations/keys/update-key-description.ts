/** UpdateKeyDescription. */

import { keyById, operation, present } from '../operation.ts'
import { changeKey } from './change-key.ts'

/**
 * Changes the description of a key.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdateKeyDescription.html
 */
export const UpdateKeyDescription = operation('UpdateKeyDescription', {
  needs: { key: keyById({ aliases: false, states: present, grantable: false }) },
  changes: true,

  async run({ request, key, store }) {
    const { description = '' } = request
    await changeKey(store, key, present, { description })
    return {}
  },
})

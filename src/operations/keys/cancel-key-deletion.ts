/** CancelKeyDeletion. */

import type { KeyState } from '../../model/key.ts'
import { keyById, operation } from '../operation.ts'
import { changeKey } from './change-key.ts'

const states: readonly KeyState[] = ['PendingDeletion']

/**
 * Cancels the deletion of a key, which is then disabled, or waits for its imported material.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_CancelKeyDeletion.html
 */
export const CancelKeyDeletion = operation('CancelKeyDeletion', {
  needs: { key: keyById({ aliases: false, states, grantable: false }) },
  changes: true,

  async run({ key, store }) {
    await changeKey(store, key, states, { state: 'Disabled', deletionMs: null })
    return { keyId: key.arn }
  },
})

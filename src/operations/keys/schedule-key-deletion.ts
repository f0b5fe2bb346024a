/** ScheduleKeyDeletion. */

import { fail } from '../../model/failures.ts'
import { keyById, operation, present } from '../operation.ts'
import { DAY_MS } from '../time.ts'
import { changeKey } from './change-key.ts'

const WINDOW_DAYS_DEFAULT = 30
const WINDOW_DAYS_MIN = 7
const WINDOW_DAYS_MAX = 30

/**
 * Schedules the deletion of a key after 7 to 30 days; a job destroys it then.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html
 */
export const ScheduleKeyDeletion = operation('ScheduleKeyDeletion', {
  needs: { key: keyById({ aliases: false, states: present, grantable: false }) },
  changes: true,

  check({ pendingWindowInDays: days = WINDOW_DAYS_DEFAULT }) {
    // The contract has the limits of AWS's model, which the service narrows.
    if (days >= WINDOW_DAYS_MIN && days <= WINDOW_DAYS_MAX) return
    const range = `between ${WINDOW_DAYS_MIN} and ${WINDOW_DAYS_MAX}`
    fail('ValidationException', `PendingWindowInDays must be ${range}`)
  },

  conditions: ({ pendingWindowInDays }) => ({
    'kms:ScheduleKeyDeletionPendingWindowInDays': pendingWindowInDays,
  }),

  async run({ request, key, store, clock }) {
    const { pendingWindowInDays = WINDOW_DAYS_DEFAULT } = request
    const deletionMs = clock() + pendingWindowInDays * DAY_MS
    await changeKey(store, key, present, { state: 'PendingDeletion', deletionMs })
    return {
      keyId: key.arn,
      deletionDate: new Date(deletionMs),
      keyState: 'PendingDeletion',
      pendingWindowInDays,
    }
  },
})

/** Which keys rotate, and when next. */

import { fail } from '../../model/failures.ts'
import type { Key, RotationSchedule } from '../../model/key.ts'
import { DAY_MS } from '../time.ts'

/**
 * Refuses keys that cannot rotate.
 *
 * @throws KmsError UnsupportedOperationException.
 */
export function checkRotates(key: Key): void {
  if (key.spec !== 'SYMMETRIC_DEFAULT' || key.origin !== 'AWS_KMS') {
    fail('UnsupportedOperationException', `${key.arn} does not support key rotation.`)
  }
}

/** The schedule of a key whose rotation is switched on now. */
export function scheduleFrom(nowMs: number, periodInDays: number): RotationSchedule {
  return { periodInDays, nextMs: nowMs + periodInDays * DAY_MS }
}

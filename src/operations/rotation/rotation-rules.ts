/** Which keys rotate, and when next. */

import { fail } from '../../model/failures.ts'
import type { Key, RotationSchedule } from '../../model/key.ts'
import { enabled } from '../operation.ts'
import { DAY_MS } from '../time.ts'

/**
 * Refuses keys that cannot rotate, not even on demand.
 *
 * @throws KmsError UnsupportedOperationException.
 */
export function checkRotates(key: Key): void {
  if (key.spec !== 'SYMMETRIC_DEFAULT') {
    fail('UnsupportedOperationException', `${key.arn} does not support key rotation.`)
  }
}

/**
 * Refuses keys that cannot rotate by themselves: material that is imported, its owner rotates.
 *
 * @throws KmsError UnsupportedOperationException.
 */
function checkRotatesByItself(key: Key): void {
  checkRotates(key)
  if (key.origin !== 'AWS_KMS') {
    const what = `origin is ${key.origin} which is not valid for this operation`
    fail('UnsupportedOperationException', `${key.arn} ${what}.`)
  }
}

/** What operations that switch automatic rotation need of their key. */
export const rotatesByItself = {
  aliases: false,
  checkKind: checkRotatesByItself,
  states: enabled,
  grantable: false,
} as const

/** The schedule of a key whose rotation is switched on now. */
export function scheduleFrom(nowMs: number, periodInDays: number): RotationSchedule {
  return { periodInDays, nextMs: nowMs + periodInDays * DAY_MS }
}

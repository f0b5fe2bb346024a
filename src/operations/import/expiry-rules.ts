/** What an import may say of its end. */

import { fail } from '../../model/failures.ts'
import type { Operations } from '../operation.ts'
import { DAY_MS } from '../time.ts'

type Request = Pick<Operations['ImportKeyMaterial']['request'], 'expirationModel' | 'validTo'>

const DAYS_MAX = 365

/**
 * Refuses an expiration model and a date that contradict each other.
 *
 * @throws KmsError ValidationException.
 */
export function checkExpiry({ expirationModel, validTo }: Request): void {
  const expires = expirationModel === 'KEY_MATERIAL_EXPIRES'
  if (expires === (validTo !== undefined)) return
  const rule = expires ? 'is required' : 'is not valid'
  fail('ValidationException', `ValidTo ${rule} when ExpirationModel is ${expirationModel}.`)
}

/**
 * Refuses a date that has passed, or is more than a year ahead.
 *
 * @throws KmsError ValidationException.
 */
export function checkNotTooLate({ validTo }: Request, nowMs: number): void {
  if (validTo === undefined) return
  const aheadMs = validTo.getTime() - nowMs
  if (aheadMs > 0 && aheadMs <= DAYS_MAX * DAY_MS) return
  fail('ValidationException', `ValidTo must be in the future, and at most ${DAYS_MAX} days ahead.`)
}

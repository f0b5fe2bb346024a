/** Grant ids. */

import { fail } from '../../model/failures.ts'

/**
 * Refuses what cannot be the id of a grant.
 *
 * @throws KmsError InvalidGrantIdException.
 */
export function checkGrantId(grantId: string | undefined): void {
  if (grantId !== undefined && !/^[0-9a-f]{64}$/.test(grantId)) {
    fail('InvalidGrantIdException', `${grantId} is not a valid grant ID.`)
  }
}

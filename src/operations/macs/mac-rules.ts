/** Which keys make MACs by which algorithm. */

import { fail } from '../../model/failures.ts'
import type { Key } from '../../model/key.ts'
import { keySpecRow, type MacAlgorithm } from '../../model/key-specs.ts'
import { type Conditions, enabled } from '../operation.ts'

/** The rule for a key that makes or verifies MACs. */
export const macKey = { states: enabled, usage: 'GENERATE_VERIFY_MAC', grantable: true } as const

/** What a request says of a MAC. */
export interface Asked {
  readonly message: Buffer
  readonly macAlgorithm?: MacAlgorithm
}

/** What policies may decide on in a MAC. */
export function macConditions({ macAlgorithm }: Asked): Conditions {
  return { 'kms:MacAlgorithm': macAlgorithm }
}

/**
 * The algorithm and the message.
 *
 * @throws KmsError InvalidKeyUsageException if the key has not the algorithm.
 */
export function prepare(
  key: Key,
  { message, macAlgorithm: algorithm }: Asked,
): { readonly algorithm: MacAlgorithm; readonly message: Buffer } {
  if (algorithm === undefined) fail('ValidationException', 'MacAlgorithm must be given.')
  if (!keySpecRow(key.spec).macAlgorithms.includes(algorithm)) {
    const what = `Algorithm ${algorithm} is incompatible with key spec ${key.spec}.`
    fail('InvalidKeyUsageException', what)
  }
  return { algorithm, message }
}

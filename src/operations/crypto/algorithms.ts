/** Which algorithm an operation uses with a key. */

import { fail } from '../../model/failures.ts'
import type { Key } from '../../model/key.ts'
import { type EncryptionAlgorithm, keySpecRow } from '../../model/key-specs.ts'

/**
 * The algorithm asked for, if the key has it.
 *
 * @throws KmsError InvalidKeyUsageException if it has not.
 */
export function encryptionAlgorithm(
  key: Key,
  asked: EncryptionAlgorithm = 'SYMMETRIC_DEFAULT',
): EncryptionAlgorithm {
  if (!keySpecRow(key.spec).encryptionAlgorithms.includes(asked)) {
    fail('InvalidKeyUsageException', `${key.arn} does not support the algorithm ${asked}.`)
  }
  return asked
}

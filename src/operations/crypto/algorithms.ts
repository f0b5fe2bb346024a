/** Which keys encrypt and decrypt, and by which algorithm. */

import { fail } from '../../model/failures.ts'
import type { Key } from '../../model/key.ts'
import { type EncryptionAlgorithm, keySpecRow } from '../../model/key-specs.ts'
import { enabled } from '../operation.ts'

/** The rule for a key that encrypts or decrypts. */
export const encryptionKey = {
  states: enabled,
  usage: 'ENCRYPT_DECRYPT',
  grantable: true,
} as const

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

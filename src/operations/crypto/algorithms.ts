/** Which keys encrypt and decrypt, by which algorithm and bound to what. */

import { canonicalContext, type EncryptionContext } from '../../model/encryption-context.ts'
import { fail } from '../../model/failures.ts'
import type { Key } from '../../model/key.ts'
import { type EncryptionAlgorithm, keySpecRow } from '../../model/key-specs.ts'
import { type Conditions, enabled } from '../operation.ts'

/** The rule for a key that encrypts or decrypts. */
export const encryptionKey = {
  states: enabled,
  usage: 'ENCRYPT_DECRYPT',
  grantable: true,
} as const

/** What a request says of an encryption or decryption. */
export interface Asked {
  readonly encryptionAlgorithm?: EncryptionAlgorithm
  readonly encryptionContext: EncryptionContext
}

/** What policies may decide on in an encryption or decryption. */
export function encryptionConditions({
  encryptionAlgorithm,
  encryptionContext,
}: Asked): Conditions {
  return {
    'kms:EncryptionAlgorithm': encryptionAlgorithm,
    'kms:EncryptionContext': encryptionContext,
  }
}

/**
 * The algorithm and the canonical context of an encryption or decryption.
 *
 * @throws KmsError InvalidKeyUsageException if the key has not the algorithm;
 *   ValidationException for a context that has no canonical form, or any where none is bound.
 */
export function prepare(
  key: Key,
  { encryptionAlgorithm = 'SYMMETRIC_DEFAULT', encryptionContext }: Asked,
): { readonly algorithm: EncryptionAlgorithm; readonly context: Buffer } {
  if (!keySpecRow(key.spec).encryptionAlgorithms.includes(encryptionAlgorithm)) {
    const what = `Algorithm ${encryptionAlgorithm} is incompatible with key spec ${key.spec}.`
    fail('InvalidKeyUsageException', what)
  }
  if (encryptionAlgorithm !== 'SYMMETRIC_DEFAULT' && encryptionContext.size > 0) {
    const what = `EncryptionContext is not supported with the algorithm ${encryptionAlgorithm}.`
    fail('ValidationException', what)
  }
  return { algorithm: encryptionAlgorithm, context: canonicalContext(encryptionContext) }
}

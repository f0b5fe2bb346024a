/** Which keys encrypt and decrypt, by which algorithm and bound to what. */

import { canonicalContext, type EncryptionContext } from '../../model/encryption-context.ts'
import { fail } from '../../model/failures.ts'
import type { Key } from '../../model/key.ts'
import { type EncryptionAlgorithm, keySpecRow } from '../../model/key-specs.ts'
import { enabled, type Operations } from '../operation.ts'

/** The rule for a key that encrypts or decrypts. */
export const encryptionKey = {
  states: enabled,
  usage: 'ENCRYPT_DECRYPT',
  grantable: true,
} as const

/**
 * The algorithm and the canonical context of an encryption or decryption.
 *
 * @throws KmsError InvalidKeyUsageException if the key has not the algorithm;
 *   ValidationException for a context that has no canonical form.
 */
export function prepare(
  key: Key,
  asked: EncryptionAlgorithm | undefined,
  context: EncryptionContext,
): { readonly algorithm: EncryptionAlgorithm; readonly context: Buffer } {
  return { algorithm: encryptionAlgorithm(key, asked), context: canonicalContext(context) }
}

/** The same for both sides of a re-encryption. */
export function prepareBoth(
  request: Operations['ReEncrypt']['request'],
  source: Key,
  destination: Key,
) {
  const { sourceEncryptionAlgorithm, destinationEncryptionAlgorithm } = request
  const { sourceEncryptionContext, destinationEncryptionContext } = request
  return {
    from: prepare(source, sourceEncryptionAlgorithm, sourceEncryptionContext),
    to: prepare(destination, destinationEncryptionAlgorithm, destinationEncryptionContext),
  }
}

function encryptionAlgorithm(
  key: Key,
  asked: EncryptionAlgorithm = 'SYMMETRIC_DEFAULT',
): EncryptionAlgorithm {
  if (!keySpecRow(key.spec).encryptionAlgorithms.includes(asked)) {
    fail('InvalidKeyUsageException', `${key.arn} does not support the algorithm ${asked}.`)
  }
  return asked
}

/** The key of a ciphertext: the one it names, which must be the one that the request names. */

import { type Ciphertext, parseCiphertext } from '../../model/ciphertext.ts'
import { fail } from '../../model/failures.ts'
import type { BackingKey, Key } from '../../model/key.ts'
import type { KeyName } from '../operation.ts'

/** How a request to decrypt names its key: by name if it gives one, else by the ciphertext. */
export function nameOfCiphertextKey(blob: Buffer, keyId: string | undefined): KeyName {
  return keyId === undefined ? { ciphertextBlob: blob } : { text: keyId, aliases: true }
}

/**
 * Takes a ciphertext apart and finds its backing key: the header selects exactly one.
 *
 * @throws KmsError IncorrectKeyException if the ciphertext names another key;
 *   InvalidCiphertextException if it is malformed or names a backing key that the key never had.
 */
export function ciphertextOf(
  key: Key,
  blob: Buffer,
): { readonly ciphertext: Ciphertext; readonly backingKey: BackingKey } {
  const ciphertext = parseCiphertext(blob)
  if (ciphertext.keyId !== key.keyId) {
    fail(
      'IncorrectKeyException',
      'The key ID in the request does not identify a CMK that can perform this operation.',
    )
  }
  const backingKey = key.backingKeys.find(({ id }) => id === ciphertext.backingKeyId)
  if (backingKey === undefined || backingKey.suite !== ciphertext.suite) {
    fail('InvalidCiphertextException', 'The ciphertext is not valid.')
  }
  return { ciphertext, backingKey }
}

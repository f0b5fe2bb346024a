/** The key of a ciphertext: the one it names, which must be the one that the request names. */

import { isKeyId } from '../../model/arn.ts'
import { type Ciphertext, parseCiphertext } from '../../model/ciphertext.ts'
import { fail } from '../../model/failures.ts'
import type { BackingKey, Key } from '../../model/key.ts'
import type { KeyName } from '../operation.ts'

/**
 * How a request to decrypt names its key: by name if it gives one, else by the ciphertext. A bare id
 * is good for a key of another account too if the ciphertext is that key's.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html
 */
export function nameOfCiphertextKey(blob: Buffer, keyId: string | undefined): KeyName {
  if (keyId === undefined || names(blob, keyId)) return { ciphertextBlob: blob }
  return { text: keyId, aliases: true }
}

function names(blob: Buffer, keyId: string): boolean {
  try {
    return isKeyId(keyId) && parseCiphertext(blob).keyId === keyId
  } catch {
    // It is refused once the key has been found, and the caller may use it.
    return false
  }
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

/** Which keys sign by which algorithm, and what of. */

import { HASH_BYTES, signatureScheme, type ToSign } from '../../model/asymmetric/schemes.ts'
import { fail } from '../../model/failures.ts'
import type { Key } from '../../model/key.ts'
import { keySpecRow, type SigningAlgorithm } from '../../model/key-specs.ts'
import { type Conditions, enabled } from '../operation.ts'

/** The rule for a key that signs or verifies. */
export const signingKey = { states: enabled, usage: 'SIGN_VERIFY', grantable: true } as const

/** What a request says of a signature. */
export interface Asked {
  readonly message: Buffer
  readonly messageType?: 'RAW' | 'DIGEST' | 'EXTERNAL_MU'
  readonly signingAlgorithm?: SigningAlgorithm
}

/** What policies may decide on in a signature. */
export function signingConditions({ messageType, signingAlgorithm }: Asked): Conditions {
  return { 'kms:MessageType': messageType, 'kms:SigningAlgorithm': signingAlgorithm }
}

/**
 * The algorithm, and what is to be signed by it.
 *
 * @throws KmsError InvalidKeyUsageException if the key has not the algorithm;
 *   UnsupportedOperationException if keyslot has not; ValidationException for a message of a type
 *   or length that the algorithm does not take.
 */
export function prepare(
  key: Key,
  { message, messageType = 'RAW', signingAlgorithm: algorithm }: Asked,
): { readonly algorithm: SigningAlgorithm } & ToSign {
  if (algorithm === undefined) fail('ValidationException', 'SigningAlgorithm must be given.')
  if (algorithm === 'ED25519_PH_SHA_512' && key.spec === 'ECC_NIST_EDWARDS25519') {
    const why = 'no signature of a digest by Ed25519 can be verified before it leaves'
    fail('UnsupportedOperationException', `keyslot does not offer ${algorithm}: ${why}.`)
  }
  if (!keySpecRow(key.spec).signingAlgorithms.includes(algorithm)) {
    const what = `Algorithm ${algorithm} is incompatible with key spec ${key.spec}.`
    fail('InvalidKeyUsageException', what)
  }
  const scheme = signatureScheme(algorithm)
  const takesDigests = scheme?.type !== 'Ed25519'
  if (messageType === 'EXTERNAL_MU' || (messageType === 'DIGEST' && !takesDigests)) {
    const what = `MessageType ${messageType} is not valid for algorithm ${algorithm}.`
    fail('ValidationException', what)
  }
  const toSign = { message, isDigest: messageType === 'DIGEST' }
  const length = scheme && scheme.type !== 'Ed25519' ? HASH_BYTES[scheme.hash] : message.length
  if (toSign.isDigest && message.length !== length) {
    fail('ValidationException', `Digest is invalid length for algorithm ${algorithm}.`)
  }
  return { algorithm, ...toSign }
}

/** What AWS's names of signing and MAC algorithms stand for. */

import { hash } from 'node:crypto'
import { fail } from '../failures.ts'
import type { MacAlgorithm, OaepAlgorithm, SigningAlgorithm } from '../key-specs.ts'

/** A hash function by its name in node:crypto. */
export type Hash = 'sha1' | 'sha224' | 'sha256' | 'sha384' | 'sha512'

/** How a signature is made. */
export type SignatureScheme =
  /** RSASSA-PSS with MGF1 over the same hash and a salt of its length (RFC 8017, section 8.1). */
  | { readonly type: 'PSS'; readonly hash: Hash }
  /** RSASSA-PKCS1-v1_5 (RFC 8017, section 8.2). */
  | { readonly type: 'PKCS1'; readonly hash: Hash }
  /** ECDSA, as a DER structure (RFC 3279, section 2.2.3). */
  | { readonly type: 'ECDSA'; readonly hash: Hash }
  /** Ed25519 of the message itself (RFC 8032). */
  | { readonly type: 'Ed25519' }

/** A message to sign, or its digest. */
export interface ToSign {
  readonly message: Buffer
  /** Whether `message` is the digest already. */
  readonly isDigest: boolean
}

const SCHEMES: Readonly<Partial<Record<SigningAlgorithm, SignatureScheme>>> = {
  RSASSA_PSS_SHA_256: { type: 'PSS', hash: 'sha256' },
  RSASSA_PSS_SHA_384: { type: 'PSS', hash: 'sha384' },
  RSASSA_PSS_SHA_512: { type: 'PSS', hash: 'sha512' },
  RSASSA_PKCS1_V1_5_SHA_256: { type: 'PKCS1', hash: 'sha256' },
  RSASSA_PKCS1_V1_5_SHA_384: { type: 'PKCS1', hash: 'sha384' },
  RSASSA_PKCS1_V1_5_SHA_512: { type: 'PKCS1', hash: 'sha512' },
  ECDSA_SHA_256: { type: 'ECDSA', hash: 'sha256' },
  ECDSA_SHA_384: { type: 'ECDSA', hash: 'sha384' },
  ECDSA_SHA_512: { type: 'ECDSA', hash: 'sha512' },
  ED25519_SHA_512: { type: 'Ed25519' },
}

/** The scheme of a signing algorithm; none for those that keyslot does not offer. */
export function signatureScheme(algorithm: SigningAlgorithm): SignatureScheme | undefined {
  return SCHEMES[algorithm]
}

/** The hash of a MAC algorithm. */
export const MAC_HASHES: Readonly<Record<MacAlgorithm, Hash>> = {
  HMAC_SHA_224: 'sha224',
  HMAC_SHA_256: 'sha256',
  HMAC_SHA_384: 'sha384',
  HMAC_SHA_512: 'sha512',
}

/** The hash of an encryption algorithm, of its label and of its mask alike. */
export const OAEP_HASHES: Readonly<Record<OaepAlgorithm, 'sha1' | 'sha256'>> = {
  RSAES_OAEP_SHA_1: 'sha1',
  RSAES_OAEP_SHA_256: 'sha256',
}

/** The length of a hash in bytes. */
export const HASH_BYTES: Readonly<Record<Hash, number>> = {
  sha1: 20,
  sha224: 28,
  sha256: 32,
  sha384: 48,
  sha512: 64,
}

/**
 * The digest of what is to be signed.
 *
 * @throws KmsError ValidationException for a digest of another length than the algorithm's.
 */
export function digestOf({ message, isDigest }: ToSign, algorithm: Hash): Buffer {
  if (!isDigest) return hash(algorithm, message, 'buffer')
  if (message.length === HASH_BYTES[algorithm]) return message
  return fail('ValidationException', `Digest is invalid length for ${algorithm}.`)
}

/**
 * Verifying signatures with the public key, outside the token: what Verify does, and what every
 * signature of the token has to pass before it leaves.
 */

import { constants, type KeyObject, publicDecrypt, verify } from 'node:crypto'
import type { Curve, SigningAlgorithm } from '../key-specs.ts'
import { verifiesDigest } from './ecdsa.ts'
import { encodePkcs1, isPssOf } from './rsa-padding.ts'
import {
  digestOf,
  HASH_BYTES,
  type SignatureScheme,
  signatureScheme,
  type ToSign,
} from './schemes.ts'

/**
 * Whether a signature is of this message, or digest, under this public key.
 *
 * @param signature as AWS has it: DER for ECDSA.
 * @throws KmsError ValidationException for a digest of another length than the algorithm's.
 */
export function verifiesSignature(
  publicKey: KeyObject,
  algorithm: SigningAlgorithm,
  input: ToSign,
  signature: Buffer,
): boolean {
  const scheme = signatureScheme(algorithm)
  if (scheme === undefined) return false
  return input.isDigest
    ? verifiesOfDigest(publicKey, scheme, input, signature)
    : verifiesOfMessage(publicKey, scheme, input.message, signature)
}

function verifiesOfMessage(
  key: KeyObject,
  scheme: SignatureScheme,
  message: Buffer,
  signature: Buffer,
): boolean {
  // OpenSSL takes an RSASSA-PSS signature without the zeros that it begins with.
  const isOfRsa = scheme.type === 'PSS' || scheme.type === 'PKCS1'
  if (isOfRsa && signature.length !== modulusBytes(key)) return false
  switch (scheme.type) {
    case 'PSS': {
      const padding = constants.RSA_PKCS1_PSS_PADDING
      const saltLength = HASH_BYTES[scheme.hash]
      return verify(scheme.hash, message, { key, padding, saltLength }, signature)
    }
    case 'PKCS1':
      return verify(scheme.hash, message, key, signature)
    case 'ECDSA':
      return verify(scheme.hash, message, { key, dsaEncoding: 'der' }, signature)
    case 'Ed25519':
      return verify(null, message, key, signature)
  }
}

function verifiesOfDigest(
  key: KeyObject,
  scheme: SignatureScheme,
  input: ToSign,
  signature: Buffer,
): boolean {
  if (scheme.type === 'Ed25519') return false
  const digest = digestOf(input, scheme.hash)
  if (scheme.type === 'ECDSA') {
    const curve = curveOf(key)
    return curve !== undefined && verifiesDigest(key, curve, digest, signature)
  }
  const encoded = encodedIn(key, signature)
  if (encoded === undefined) return false
  return scheme.type === 'PSS'
    ? isPssOf(encoded, digest, scheme.hash)
    : encoded.equals(encodePkcs1(digest, scheme.hash, encoded.length))
}

/** The encoded message of an RSA signature; nothing if it is none of this key's. */
function encodedIn(key: KeyObject, signature: Buffer): Buffer | undefined {
  if (signature.length !== modulusBytes(key)) return undefined
  try {
    return publicDecrypt({ key, padding: constants.RSA_NO_PADDING }, signature)
  } catch {
    // A number that is not below the modulus.
    return undefined
  }
}

/** As long is every signature of an RSA key (RFC 8017, section 8.1.2). */
function modulusBytes(key: KeyObject): number {
  return (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8
}

const CURVES: Readonly<Record<string, Curve>> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
  secp256k1: 'secp256k1',
}

/** The curve of a public key; none if it is on no curve that keyslot knows, or names none. */
export function curveOf(key: KeyObject): Curve | undefined {
  if (key.asymmetricKeyType !== 'ec') return undefined
  return CURVES[key.asymmetricKeyDetails?.namedCurve ?? '']
}

/** What a token does with the private half of a pair, beside signing. */

import pkcs11js, { type ECDH1, type Handle } from 'pkcs11js'
import { COORDINATE_BYTES } from '../../model/asymmetric/ecdsa.ts'
import { OAEP_HASHES } from '../../model/asymmetric/schemes.ts'
import type { Curve, OaepAlgorithm } from '../../model/key-specs.ts'
import { oaepMessage } from '../import/oaep.ts'
import { type KindCapability, oaepMechanism, type Proved } from '../token/mechanisms.ts'
import type { TokenSession } from '../token/session.ts'
import { sharedSecretTemplate } from '../token/templates.ts'

/** CKD_NULL: the x-coordinate as it is. */
const WITHOUT_DERIVATION = 1

/** How a token decrypts by an algorithm: padding taken off by itself, or outside of it. */
export type OaepWay = 'padded' | 'raw'

/**
 * How a token decrypts by an algorithm.
 *
 * @returns the name of the capability that is missing where it does not.
 */
export function oaepWay(algorithm: OaepAlgorithm, proved: Proved): OaepWay | KindCapability {
  const padded =
    algorithm === 'RSAES_OAEP_SHA_1' ? 'CKM_RSA_PKCS_OAEP/SHA-1' : 'CKM_RSA_PKCS_OAEP/SHA-256'
  if (proved(padded)) return 'padded'
  return proved('CKM_RSA_X_509') ? 'raw' : padded
}

/**
 * Decrypts with RSAES-OAEP.
 *
 * @returns the message, to be zeroed by the caller; `undefined` for a padding that is not right.
 * @throws TokenError of C_Decrypt where the token takes the padding off and it is not right.
 */
export function decryptOaep(
  session: TokenSession,
  key: Handle,
  ciphertext: Buffer,
  { algorithm, way }: { readonly algorithm: OaepAlgorithm; readonly way: OaepWay },
): Buffer | undefined {
  const hash = OAEP_HASHES[algorithm]
  if (way === 'padded') return session.transform('decrypt', oaepMechanism(hash), key, ciphertext)
  const mechanism = { mechanism: pkcs11js.CKM_RSA_X_509 }
  const block = session.transform('decrypt', mechanism, key, ciphertext)
  try {
    return oaepMessage(block, hash)
  } finally {
    block.fill(0)
  }
}

/**
 * Agrees on a secret: the x-coordinate of Diffie and Hellman's.
 *
 * @param point the other's public key, uncompressed, which is known to be on the curve.
 * @returns the secret, to be zeroed by the caller.
 */
export function agree(session: TokenSession, key: Handle, curve: Curve, point: Buffer): Buffer {
  const parameter: ECDH1 = {
    type: pkcs11js.CK_PARAMS_EC_DH,
    kdf: WITHOUT_DERIVATION,
    publicData: point,
  }
  const mechanism = { mechanism: pkcs11js.CKM_ECDH1_DERIVE, parameter }
  const length = COORDINATE_BYTES[curve]
  const derived = session.deriveKey(mechanism, key, sharedSecretTemplate(length))
  try {
    const [secret] = session.read(derived, [pkcs11js.CKA_VALUE])
    if (secret?.length === length) return secret
    throw new Error(`the token agreed on ${secret?.length} bytes`)
  } finally {
    session.destroyObject(derived)
  }
}

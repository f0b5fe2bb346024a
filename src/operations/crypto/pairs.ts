/** Encryption with pairs: with the public half here, with the private half in the HSM. */

import { constants, publicEncrypt } from 'node:crypto'
import { oaepMessageBytesMax } from '../../model/asymmetric/rsa-padding.ts'
import { OAEP_HASHES } from '../../model/asymmetric/schemes.ts'
import { fail } from '../../model/failures.ts'
import type { Key } from '../../model/key.ts'
import { type EncryptionAlgorithm, materialOf, type OaepAlgorithm } from '../../model/key-specs.ts'
import { publicKeyOf } from '../signatures/public-half.ts'

/** Whether an algorithm encrypts with the public half of a pair. */
export function isOaep(algorithm: EncryptionAlgorithm): algorithm is OaepAlgorithm {
  return algorithm === 'RSAES_OAEP_SHA_1' || algorithm === 'RSAES_OAEP_SHA_256'
}

/**
 * Encrypts with the public half of a pair.
 *
 * @throws KmsError ValidationException for a plaintext longer than the algorithm takes.
 */
export function encryptWithPublicHalf(
  key: Key,
  algorithm: OaepAlgorithm,
  plaintext: Buffer,
): Buffer {
  const oaepHash = OAEP_HASHES[algorithm]
  const most = oaepMessageBytesMax(modulusBits(key), oaepHash)
  if (plaintext.length > most) {
    const what = `Algorithm ${algorithm} and key spec ${key.spec} cannot encrypt data larger than`
    fail('ValidationException', `${what} ${most} bytes.`)
  }
  const padding = constants.RSA_PKCS1_OAEP_PADDING
  return publicEncrypt({ key: publicKeyOf(key), padding, oaepHash }, plaintext)
}

/**
 * Refuses a ciphertext that is none of the pair's, as far as its length tells.
 *
 * @throws KmsError InvalidCiphertextException.
 */
export function checkLength(key: Key, ciphertextBlob: Buffer): void {
  if (ciphertextBlob.length !== modulusBits(key) / 8) {
    fail('InvalidCiphertextException', 'The ciphertext is not valid.')
  }
}

function modulusBits({ spec }: Key): number {
  const material = materialOf(spec)
  if (material.type !== 'RSA') throw new Error(`${spec} does not encrypt by RSA`)
  return material.modulusBits
}

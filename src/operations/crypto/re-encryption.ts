/** The two sides of a re-encryption: what it decrypts by, and what it encrypts by. */

import type { Authorised } from '../../model/authorised.ts'
import type { Key } from '../../model/key.ts'
import type { EncryptionAlgorithm } from '../../model/key-specs.ts'
import type { CallLimits, CiphertextInput, Hsm, OaepInput } from '../../pkcs11/hsm.ts'
import type { Conditions, Operations } from '../operation.ts'
import { type Asked, encryptionConditions, prepare } from './algorithms.ts'
import { ciphertextOf } from './ciphertext-key.ts'
import { checkLength, isOaep } from './pairs.ts'

type Request = Operations['ReEncrypt']['request']

/** Each key's own side: who may decrypt under one context may not under another. */
export function reEncryptionConditions(request: Request, need: string): Conditions {
  return encryptionConditions(need === 'source' ? sourceOf(request) : destinationOf(request))
}

/**
 * The algorithms and the canonical contexts.
 *
 * @throws what `prepare` throws.
 */
export function prepareBoth(request: Request, source: Key, destination: Key) {
  return {
    from: prepare(source, sourceOf(request)),
    to: prepare(destination, destinationOf(request)),
  }
}

/** A side of a re-encryption, prepared. */
interface Side {
  readonly algorithm: EncryptionAlgorithm
  readonly context: Buffer
}

/** What is decrypted, by which key and how. */
export type Source = { readonly key: Authorised<Key>; readonly materialId?: string } & (
  | OaepInput
  | CiphertextInput
)

/**
 * Takes the ciphertext apart, as its key's algorithm has it.
 *
 * @throws what `ciphertextOf` throws; KmsError InvalidCiphertextException for another length than
 *   the ciphertexts of a pair have.
 */
export function sourceOfBlob(
  key: Authorised<Key>,
  { algorithm, context }: Side,
  ciphertextBlob: Buffer,
): Source {
  if (isOaep(algorithm)) {
    checkLength(key, ciphertextBlob)
    return { key, algorithm, ciphertextBlob }
  }
  const { ciphertext, backingKey } = ciphertextOf(key, ciphertextBlob)
  return { key, ciphertext, context, materialId: backingKey.materialId }
}

/** Decrypts and encrypts again; the plaintext stays inside the HSM process. */
export function reEncrypted(
  hsm: Hsm,
  source: Source,
  { key, algorithm, context }: { readonly key: Authorised<Key> } & Side,
  limits: CallLimits,
): Promise<Buffer> {
  if (isOaep(algorithm)) return hsm.reEncryptAsymmetric(source, { key, algorithm }, limits)
  if ('algorithm' in source) return hsm.reEncryptAsymmetric(source, { key, context }, limits)
  return hsm.reEncrypt(source, { key, context }, limits)
}

function sourceOf(request: Request): Asked {
  return {
    encryptionAlgorithm: request.sourceEncryptionAlgorithm,
    encryptionContext: request.sourceEncryptionContext,
  }
}

function destinationOf(request: Request): Asked {
  return {
    encryptionAlgorithm: request.destinationEncryptionAlgorithm,
    encryptionContext: request.destinationEncryptionContext,
  }
}

/**
 * Version 1 of the symmetric ciphertext: how it is laid out, and what authenticates it.
 *
 * | bytes | what |
 * |---|---|
 * | 4 | `KSL` and the version, 1 |
 * | 1 | suite: 1 derived key, 2 backing key itself |
 * | 16 | key id (the digits of the UUID, or of the multi-Region id) |
 * | 16 | backing key id (CKA_ID) |
 * | 15 or 0 | nonce from which the key was derived; suite 1 only |
 * | 1, n | length of the IV, and the IV: a token may make its own |
 * | n + 32 | ciphertext of the commitment (32 bytes) and the plaintext |
 * | 16 | GCM tag |
 *
 * The additional authenticated data is one SHA-256 digest over the domain tag, the header up to
 * and including the nonce, the account and the canonical encryption context, each behind its
 * 4-byte length; GCM itself binds the IV. A digest, because some tokens limit the length. The
 * same digest stands before the plaintext as commitment: GCM commits to no key, and the owner of
 * imported material knows it (Albertini et al., "How to Abuse and Fix Authenticated Encryption
 * Without Key Commitment", USENIX Security 2022, section 5.3: the padding fix).
 */

import { hash } from 'node:crypto'
import { fail } from './failures.ts'
import type { CipherSuite } from './key.ts'

const MAGIC = Buffer.from('KSL\x01', 'latin1')
const DOMAIN = Buffer.from('keyslot symmetric ciphertext v1')
const ID_BYTES = 16
const LENGTH_BYTES = 4

/** Length of the nonce that a key is derived from, in bytes. */
export const NONCE_BYTES = 15
/** Length of the commitment before the plaintext, in bytes. */
export const COMMITMENT_BYTES = 32
/** Length of the GCM tag, in bytes. */
export const TAG_BYTES = 16
/** The longest IV, in bytes: Luna's is 16, GCM's usual 12. */
export const IV_BYTES_MAX = 32

/** The part of a ciphertext that is known before encryption. */
export interface CiphertextHeader {
  readonly suite: CipherSuite
  /** UUID, or `mrk-` and 32 hex digits. */
  readonly keyId: string
  /** CKA_ID as 32 hex digits. */
  readonly backingKeyId: string
  /** 15 bytes in suite 1, empty in suite 2. */
  readonly nonce: Buffer
}

/** A ciphertext taken apart. */
export interface Ciphertext extends CiphertextHeader {
  readonly iv: Buffer
  /** Encrypted commitment and plaintext, then the tag. */
  readonly sealed: Buffer
}

/** The length of the nonce of a suite, in bytes. */
export function nonceBytes(suite: CipherSuite): number {
  return suite === 1 ? NONCE_BYTES : 0
}

/** The 16 bytes of a key id. */
export function keyIdBytes(keyId: string): Buffer {
  const hex = keyId.startsWith('mrk-') ? keyId.slice(4) : keyId.replaceAll('-', '')
  return Buffer.from(hex, 'hex')
}

/** Puts a ciphertext together. */
export function packCiphertext(parts: Ciphertext): Buffer {
  if (parts.iv.length === 0 || parts.iv.length > IV_BYTES_MAX) {
    throw new Error(`an IV of ${parts.iv.length} bytes`)
  }
  return Buffer.concat([packHeader(parts), Buffer.of(parts.iv.length), parts.iv, parts.sealed])
}

/**
 * Takes a ciphertext apart. A key id is answered as its 32 hex digits' UUID form; whether it is
 * a multi-Region key is the store's to know.
 *
 * @throws KmsError InvalidCiphertextException for anything that `packCiphertext` does not make.
 */
export function parseCiphertext(blob: Buffer): Ciphertext {
  const suiteAt = MAGIC.length
  if (!blob.subarray(0, suiteAt).equals(MAGIC)) refuse()
  const suite = blob[suiteAt]
  if (suite !== 1 && suite !== 2) refuse()
  const idAt = suiteAt + 1
  const backingAt = idAt + ID_BYTES
  const nonceAt = backingAt + ID_BYTES
  const ivLengthAt = nonceAt + nonceBytes(suite)
  const ivLength = blob[ivLengthAt]
  if (ivLength === undefined || ivLength === 0 || ivLength > IV_BYTES_MAX) refuse()
  const sealedAt = ivLengthAt + 1 + ivLength
  // At least one byte of plaintext.
  if (blob.length <= sealedAt + COMMITMENT_BYTES + TAG_BYTES) refuse()
  return {
    suite,
    keyId: uuid(blob.subarray(idAt, backingAt)),
    backingKeyId: blob.toString('hex', backingAt, nonceAt),
    nonce: blob.subarray(nonceAt, ivLengthAt),
    iv: blob.subarray(ivLengthAt + 1, sealedAt),
    sealed: blob.subarray(sealedAt),
  }
}

/** What authenticates a ciphertext, and commits to it: 32 bytes. */
export function ciphertextDigest(
  header: CiphertextHeader,
  bound: { readonly account: string; readonly context: Buffer },
): Buffer {
  const parts = [DOMAIN, packHeader(header), Buffer.from(bound.account), bound.context]
  // One buffer and one call: this is on the path of every encryption and decryption.
  const bytes = Buffer.alloc(parts.reduce((sum, part) => sum + LENGTH_BYTES + part.length, 0))
  let at = 0
  for (const part of parts) {
    at = bytes.writeUInt32BE(part.length, at)
    at += part.copy(bytes, at)
  }
  return hash('sha256', bytes, 'buffer')
}

function packHeader({ suite, keyId, backingKeyId, nonce }: CiphertextHeader): Buffer {
  const id = keyIdBytes(keyId)
  const backingId = Buffer.from(backingKeyId, 'hex')
  if (
    id.length !== ID_BYTES ||
    backingId.length !== ID_BYTES ||
    nonce.length !== nonceBytes(suite)
  ) {
    throw new Error(`a ciphertext header with wrong lengths: ${keyId}, ${backingKeyId}`)
  }
  return Buffer.concat([MAGIC, Buffer.of(suite), id, backingId, nonce])
}

function uuid(bytes: Buffer): string {
  const hex = bytes.toString('hex')
  const [a, b, c] = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16)]
  return `${a}-${b}-${c}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

function refuse(): never {
  fail('InvalidCiphertextException', 'The ciphertext is not valid.')
}

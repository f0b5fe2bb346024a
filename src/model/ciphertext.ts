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
const SUITE_AT = MAGIC.length
const KEY_ID_AT = SUITE_AT + 1
const BACKING_KEY_ID_AT = KEY_ID_AT + ID_BYTES
const HEAD_BYTES = BACKING_KEY_ID_AT + ID_BYTES

/** Length of the nonce that a key is derived from, in bytes. */
export const NONCE_BYTES = 15
/** Length of the commitment before the plaintext, in bytes. */
export const COMMITMENT_BYTES = 32
/** Length of the GCM tag, in bytes. */
export const TAG_BYTES = 16
/** The longest IV, in bytes: Luna's is 16, GCM's usual 12. */
export const IV_BYTES_MAX = 32

/** The backing key of a ciphertext: all of its ciphertexts begin with it. */
export interface CiphertextHead {
  readonly suite: CipherSuite
  /** UUID, or `mrk-` and 32 hex digits. */
  readonly keyId: string
  /** CKA_ID as 32 hex digits. */
  readonly backingKeyId: string
}

/** A ciphertext taken apart. */
export interface Ciphertext extends CiphertextHead, SealedMessage {}

/** What one encryption under a backing key has made. */
export interface SealedMessage {
  /** From which the key was derived: 15 bytes in suite 1, empty in suite 2. */
  readonly nonce: Buffer
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

/** The bytes before the nonce, to be made once for a backing key. */
export function packHead({ suite, keyId, backingKeyId }: CiphertextHead): Buffer {
  const head = Buffer.concat([
    MAGIC,
    Buffer.of(suite),
    keyIdBytes(keyId),
    Buffer.from(backingKeyId, 'hex'),
  ])
  if (head.length !== HEAD_BYTES) throw new Error(`a ciphertext of ${keyId}, ${backingKeyId}`)
  return head
}

/** Puts a ciphertext together, behind its packed head. */
export function packCiphertext(head: Buffer, { nonce, iv, sealed }: SealedMessage): Buffer {
  checkNonce(head, nonce)
  if (iv.length === 0 || iv.length > IV_BYTES_MAX) throw new Error(`an IV of ${iv.length} bytes`)
  return Buffer.concat([head, nonce, Buffer.of(iv.length), iv, sealed])
}

/**
 * Takes a ciphertext apart. A key id is answered as its 32 hex digits' UUID form; whether it is
 * a multi-Region key is the store's to know.
 *
 * @throws KmsError InvalidCiphertextException for anything that `packCiphertext` does not make.
 */
export function parseCiphertext(blob: Buffer): Ciphertext {
  if (!blob.subarray(0, SUITE_AT).equals(MAGIC)) refuse()
  const suite = blob[SUITE_AT]
  if (suite !== 1 && suite !== 2) refuse()
  const ivLengthAt = HEAD_BYTES + nonceBytes(suite)
  const ivLength = blob[ivLengthAt]
  if (ivLength === undefined || ivLength === 0 || ivLength > IV_BYTES_MAX) refuse()
  const sealedAt = ivLengthAt + 1 + ivLength
  // At least one byte of plaintext.
  if (blob.length <= sealedAt + COMMITMENT_BYTES + TAG_BYTES) refuse()
  return {
    suite,
    keyId: uuid(blob.subarray(KEY_ID_AT, BACKING_KEY_ID_AT)),
    backingKeyId: blob.toString('hex', BACKING_KEY_ID_AT, HEAD_BYTES),
    nonce: blob.subarray(HEAD_BYTES, ivLengthAt),
    iv: blob.subarray(ivLengthAt + 1, sealedAt),
    sealed: blob.subarray(sealedAt),
  }
}

/**
 * What authenticates a ciphertext, and commits to it: 32 bytes.
 *
 * @param head packed.
 */
export function ciphertextDigest(
  head: Buffer,
  nonce: Buffer,
  bound: { readonly account: string; readonly context: Buffer },
): Buffer {
  checkNonce(head, nonce)
  const { account, context } = bound
  const headerBytes = head.length + nonce.length
  const length = DOMAIN.length + headerBytes + account.length + context.length
  // This is on the path of every encryption and decryption: of all ways to hash the fastest.
  const bytes = Buffer.allocUnsafe(4 * LENGTH_BYTES + length)
  let at = bytes.writeUInt32BE(DOMAIN.length)
  at += DOMAIN.copy(bytes, at)
  at = bytes.writeUInt32BE(headerBytes, at)
  at += head.copy(bytes, at)
  at += nonce.copy(bytes, at)
  at = bytes.writeUInt32BE(account.length, at)
  at += bytes.write(account, at, 'latin1')
  at = bytes.writeUInt32BE(context.length, at)
  context.copy(bytes, at)
  return Buffer.from(hash('sha256', bytes, 'latin1'), 'latin1')
}

function checkNonce(head: Buffer, { length }: Buffer): void {
  const suite = head[SUITE_AT] === 1 ? 1 : 2
  if (length !== nonceBytes(suite)) throw new Error(`a nonce of ${length} bytes in suite ${suite}`)
}

function uuid(bytes: Buffer): string {
  const hex = bytes.toString('hex')
  const [a, b, c] = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16)]
  return `${a}-${b}-${c}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

function refuse(): never {
  fail('InvalidCiphertextException', 'The ciphertext is not valid.')
}

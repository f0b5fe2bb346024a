/** What the frames of calls have in common, and what is checked before one is written. */

import { COMMITMENT_BYTES, keyIdBytes, TAG_BYTES } from '../../model/ciphertext.ts'
import { fail } from '../../model/failures.ts'
import type { BackingKey, Key } from '../../model/key.ts'
import type { CiphertextInput } from '../hsm.ts'
import type { FrameWriter } from '../wire.ts'

/** The longest plaintext. */
export const PLAINTEXT_BYTES_MAX = 4096
const SEALED_BYTES_MAX = COMMITMENT_BYTES + PLAINTEXT_BYTES_MAX + TAG_BYTES

/** @throws KmsError InvalidCiphertextException unless the header names a backing key of the key. */
export function backingKeyOf(key: Key, { ciphertext }: CiphertextInput): BackingKey {
  const found = key.backingKeys.find(({ id }) => id === ciphertext.backingKeyId)
  const ofKey = keyIdBytes(ciphertext.keyId).equals(keyIdBytes(key.keyId))
  // Nothing longer has ever been made.
  const isTooLong = ciphertext.sealed.length > SEALED_BYTES_MAX
  if (found === undefined || !ofKey || isTooLong || found.suite !== ciphertext.suite) {
    fail('InvalidCiphertextException', 'The ciphertext is not valid.')
  }
  return found
}

/** Lengths have been checked for the caller long before: another one here is a bug. */
export function assertBytes(length: number, most: number): void {
  if (!Number.isInteger(length) || length < 1 || length > most) {
    throw new Error(`${length} bytes for the HSM`)
  }
}

/** Begins the frame of a call. */
export function beginCall(writer: FrameWriter, verb: number, deadlineMs: number): void {
  writer.u8(verb)
  // The moment, not the time left: what waits in the pipe does not stop the clock, and both ends
  // read the same one.
  writer.f64(deadlineMs)
}

/** A ciphertext and the backing key that it names. */
export function writeSource(
  writer: FrameWriter,
  key: Key,
  backingKey: BackingKey,
  { ciphertext, context }: CiphertextInput,
): void {
  writeKey(writer, key, backingKey)
  writer.block(context)
  writer.bytes(ciphertext.nonce)
  writer.u8(ciphertext.iv.length)
  writer.bytes(ciphertext.iv)
  writer.block(ciphertext.sealed)
}

/** Keys are immutable, and the store hands out the same one as long as it is current. */
const namedKeys = new WeakMap<Key, Map<string, Buffer>>()

/** A backing key of a symmetric key. */
export function writeKey(writer: FrameWriter, key: Key, backingKey: BackingKey): void {
  let named = namedKeys.get(key)
  if (named === undefined) {
    named = new Map()
    namedKeys.set(key, named)
  }
  let name = named.get(backingKey.id)
  if (name === undefined) {
    if (backingKey.suite === undefined) throw new Error(`${key.arn} encrypts nothing`)
    name = Buffer.concat([
      Buffer.of(backingKey.suite),
      keyIdBytes(key.keyId),
      Buffer.from(backingKey.id, 'hex'),
      Buffer.from(key.account, 'latin1'),
    ])
    named.set(backingKey.id, name)
  }
  writer.u8(name.length)
  writer.bytes(name)
}

/** The public half of a key, ready for use. */

import { createPublicKey, type KeyObject } from 'node:crypto'
import { type BackingKey, currentBackingKey, type Key } from '../../model/key.ts'

/** Backing keys are immutable, and the store hands out the same one as long as it is current. */
const publicKeys = new WeakMap<BackingKey, KeyObject>()

/** SubjectPublicKeyInfo in DER. */
export function spkiOf(key: Key): Buffer {
  const { publicKey } = currentBackingKey(key)
  if (publicKey === undefined) throw new Error(`${key.arn} has no public half`)
  return publicKey
}

/** The public half of a pair. */
export function publicKeyOf(key: Key): KeyObject {
  const backingKey = currentBackingKey(key)
  let found = publicKeys.get(backingKey)
  if (found === undefined) {
    found = createPublicKey({ key: spkiOf(key), format: 'der', type: 'spki' })
    publicKeys.set(backingKey, found)
  }
  return found
}

/**
 * Takes the padding of RSA OAEP off (RFC 8017, section 7.1.2, step 3), for tokens that have the
 * private-key operation alone. What is wrong with a block must not be told, nor how long it took
 * to see it (Manger, "A Chosen Ciphertext Attack on RSA OAEP", CRYPTO 2001): no step before the
 * verdict branches on the block, or ends early.
 */

import { createHash, hash as hashOf } from 'node:crypto'

/** The hash of OAEP and of its mask. */
export type OaepHash = 'sha1' | 'sha256'

const HASH_BYTES = { sha1: 20, sha256: 32 } as const

/**
 * The message of an encoded block, with an empty label; the caller zeroes it.
 *
 * @param block as long as the modulus.
 * @returns `undefined` if the block is not well-formed, without a word on why.
 */
export function oaepMessage(block: Buffer, hash: OaepHash): Buffer | undefined {
  const hashBytes = HASH_BYTES[hash]
  const dataAt = 1 + hashBytes
  if (block.length < 2 * hashBytes + 2) return undefined
  const seed = Buffer.alloc(hashBytes)
  const data = Buffer.alloc(block.length - dataAt)
  try {
    block.copy(seed, 0, 1, dataAt)
    block.copy(data, 0, dataAt)
    applyMask(seed, data, hash)
    applyMask(data, seed, hash)
    let wrong = block[0] ?? 0
    const labelHash = hashOf(hash, '', 'buffer')
    for (let at = 0; at < hashBytes; at++) wrong |= (data[at] ?? 0) ^ (labelHash[at] ?? 0)
    // 1 as long as only zeros have followed the hash of the label.
    let searching = 1
    let messageAt = 0
    for (let at = hashBytes; at < data.length; at++) {
      const byte = data[at] ?? 0
      const isZero = isEqual(byte, 0)
      const isOne = isEqual(byte, 1)
      messageAt |= -(searching & isOne) & (at + 1)
      wrong |= searching & (1 ^ isZero ^ isOne)
      searching &= isZero
    }
    wrong |= searching
    return wrong === 0 ? Buffer.alloc(data.length - messageAt, data.subarray(messageAt)) : undefined
  } finally {
    seed.fill(0)
    data.fill(0)
  }
}

/** Applies MGF1 of a seed to a target (RFC 8017, appendix B.2.1). */
function applyMask(target: Buffer, seed: Buffer, hash: OaepHash): void {
  const hashBytes = HASH_BYTES[hash]
  const counter = Buffer.alloc(4)
  for (let block = 0; block * hashBytes < target.length; block++) {
    counter.writeUInt32BE(block)
    const mask = createHash(hash).update(seed).update(counter).digest()
    const from = block * hashBytes
    const end = Math.min(hashBytes, target.length - from)
    for (let at = 0; at < end; at++) {
      target[from + at] = (target[from + at] ?? 0) ^ (mask[at] ?? 0)
    }
    mask.fill(0)
  }
}

/** 1 if two bytes are equal, else 0, without a branch. */
function isEqual(one: number, other: number): number {
  return (((one ^ other) - 1) >>> 31) & 1
}

/** Encoded blocks of RSAES-OAEP that are well-formed, or wrong in every way there is. */

import { createHash, randomBytes } from 'node:crypto'
import type { OaepHash } from '../../src/pkcs11/import/oaep.ts'

/** The parts of a block that are not as they should be. */
export interface Parts {
  readonly first?: number
  readonly labelHash?: Buffer
  readonly padding?: Buffer
  readonly separator?: number
  readonly message?: Buffer
}

const HASH_BYTES: Readonly<Record<OaepHash, number>> = { sha1: 20, sha256: 32 }
const MESSAGE_BYTES = 32

/** Encodes a block of `bytes` as RFC 8017, section 7.1.1, has it, but for some parts. */
export function encoded(hash: OaepHash, bytes: number, parts: Parts = {}): Buffer {
  const labelHash = parts.labelHash ?? createHash(hash).digest()
  const message = parts.message ?? randomBytes(MESSAGE_BYTES)
  const padding = parts.padding ?? Buffer.alloc(bytes - 2 * labelHash.length - message.length - 2)
  const separator = Buffer.of(parts.separator ?? 1)
  const data = Buffer.concat([labelHash, padding, separator, message])
  const seed = randomBytes(labelHash.length)
  const masked = xor(data, mask(seed, data.length, hash))
  const maskedSeed = xor(seed, mask(masked, seed.length, hash))
  return Buffer.concat([Buffer.of(parts.first ?? 0), maskedSeed, masked])
}

/** Makes blocks of `bytes` that open nothing, by what is wrong with them; below any modulus. */
export function spoiltBlocks(
  hash: OaepHash,
  bytes: number,
): Readonly<Record<string, () => Buffer>> {
  const hashBytes = HASH_BYTES[hash]
  const any = (below: number) => randomBytes(4).readUInt32BE() % below
  return {
    'another first byte': () => encoded(hash, bytes, { first: 1 + any(127) }),
    'another hash of the label': () => encoded(hash, bytes, { labelHash: randomBytes(hashBytes) }),
    'another separator': () => encoded(hash, bytes, { separator: 2 + any(254) }),
    'no separator': () =>
      encoded(hash, bytes, { separator: 0, message: Buffer.alloc(1 + any(100)) }),
    'padding that is not zero': () => {
      const padding = Buffer.alloc(bytes - 2 * hashBytes - MESSAGE_BYTES - 2)
      padding[any(padding.length)] = 2 + any(254)
      return encoded(hash, bytes, { padding })
    },
    'nothing but noise': () => {
      const noise = randomBytes(bytes)
      noise[0] = 1 + any(127)
      return noise
    },
  }
}

/** MGF1 (RFC 8017, section B.2.1). */
function mask(seed: Buffer, bytes: number, hash: OaepHash): Buffer {
  const blocks: Buffer[] = []
  for (let at = 0; at * HASH_BYTES[hash] < bytes; at++) {
    const counter = Buffer.alloc(4)
    counter.writeUInt32BE(at)
    blocks.push(createHash(hash).update(seed).update(counter).digest())
  }
  return Buffer.concat(blocks).subarray(0, bytes)
}

function xor(one: Buffer, other: Buffer): Buffer {
  return Buffer.from(one.map((byte, at) => byte ^ (other[at] ?? 0)))
}

/**
 * The paddings of RSA (RFC 8017), for tokens that do the operation with the private key and
 * not the padding, and for digests, of which node:crypto verifies no signature.
 *
 * Moduli are whole bytes long, as all of AWS's key specs are.
 */

import { hash, randomBytes } from 'node:crypto'
import { HASH_BYTES, type Hash } from './schemes.ts'

/** Begins a DigestInfo of each hash (RFC 8017, section 9.2, note 1). */
const DIGEST_INFO: Readonly<Partial<Record<Hash, Buffer>>> = {
  sha256: Buffer.from('3031300d060960864801650304020105000420', 'hex'),
  sha384: Buffer.from('3041300d060960864801650304020205000430', 'hex'),
  sha512: Buffer.from('3051300d060960864801650304020305000440', 'hex'),
}

const PSS_TRAILER = 0xbc

/** The DigestInfo of a digest, which RSASSA-PKCS1-v1_5 pads and signs. */
export function digestInfo(digest: Buffer, algorithm: Hash): Buffer {
  const prefix = DIGEST_INFO[algorithm]
  if (prefix === undefined) throw new Error(`no DigestInfo for ${algorithm}`)
  return Buffer.concat([prefix, digest])
}

/** EMSA-PKCS1-v1_5 (RFC 8017, section 9.2) for a modulus of `length` bytes. */
export function encodePkcs1(digest: Buffer, algorithm: Hash, length: number): Buffer {
  const info = digestInfo(digest, algorithm)
  const padding = Buffer.alloc(length - info.length - 3, 0xff)
  return Buffer.concat([Buffer.of(0, 1), padding, Buffer.of(0), info])
}

/** EMSA-PSS (RFC 8017, section 9.1.1) for a modulus of `length` bytes, with a salt of its own. */
export function encodePss(digest: Buffer, algorithm: Hash, length: number): Buffer {
  const salt = randomBytes(HASH_BYTES[algorithm])
  const seal = pssSeal(digest, salt, algorithm)
  const padding = Buffer.alloc(length - salt.length - seal.length - 2)
  const masked = masks(Buffer.concat([padding, Buffer.of(1), salt]), seal, algorithm)
  masked[0] = (masked[0] ?? 0) & 0x7f
  return Buffer.concat([masked, seal, Buffer.of(PSS_TRAILER)])
}

/** Whether an encoded message is the digest's (RFC 8017, section 9.1.2). */
export function isPssOf(encoded: Buffer, digest: Buffer, algorithm: Hash): boolean {
  const bytes = HASH_BYTES[algorithm]
  const sealAt = encoded.length - bytes - 1
  const saltAt = sealAt - bytes
  if (saltAt < 1 || encoded.at(-1) !== PSS_TRAILER || ((encoded[0] ?? 0) & 0x80) !== 0) return false
  const seal = encoded.subarray(sealAt, -1)
  const opened = masks(encoded.subarray(0, sealAt), seal, algorithm)
  opened[0] = (opened[0] ?? 0) & 0x7f
  const padding = opened.subarray(0, saltAt - 1)
  if (padding.some((byte) => byte !== 0) || opened[saltAt - 1] !== 1) return false
  return seal.equals(pssSeal(digest, opened.subarray(saltAt), algorithm))
}

/** The longest message that RSAES-OAEP takes, in bytes (RFC 8017, section 7.1.1). */
export function oaepMessageBytesMax(modulusBits: number, algorithm: 'sha1' | 'sha256'): number {
  return modulusBits / 8 - 2 * HASH_BYTES[algorithm] - 2
}

/** The hash of eight zeros, digest and salt. */
function pssSeal(digest: Buffer, salt: Buffer, algorithm: Hash): Buffer {
  return hash(algorithm, Buffer.concat([Buffer.alloc(8), digest, salt]), 'buffer')
}

/** A copy with MGF1 of the seed (RFC 8017, section B.2.1) laid over it. */
function masks(value: Buffer, seed: Buffer, algorithm: Hash): Buffer {
  const masked = Buffer.from(value)
  const counted = Buffer.alloc(seed.length + 4)
  counted.set(seed)
  for (let at = 0, counter = 0; at < masked.length; counter++) {
    counted.writeUInt32BE(counter, seed.length)
    for (const byte of hash(algorithm, counted, 'buffer')) {
      if (at >= masked.length) break
      masked[at] = (masked[at] ?? 0) ^ byte
      at++
    }
  }
  counted.fill(0)
  return masked
}

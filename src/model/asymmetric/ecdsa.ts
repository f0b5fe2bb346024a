/**
 * ECDSA signatures: their two forms, and verifying one of a digest, which node:crypto does only of
 * a message that it hashes itself.
 */

import { createECDH, createPublicKey, ECDH, type KeyObject } from 'node:crypto'
import type { Curve } from '../key-specs.ts'

/** A curve: the prime of its field and the order of its group. */
interface Group {
  readonly name: string
  readonly prime: bigint
  readonly order: bigint
}

/** Secg's and FIPS 186's numbers (SEC 2, version 2.0). */
const GROUPS: Readonly<Record<Curve, Group>> = {
  'P-256': {
    name: 'prime256v1',
    prime: 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,
    order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  },
  'P-384': {
    name: 'secp384r1',
    prime: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    order: 2n ** 384n - 0x389cb27e0bc8d220a7e5f24db74f58851313e695333ad68dn,
  },
  'P-521': {
    name: 'secp521r1',
    prime: 2n ** 521n - 1n,
    order: 2n ** 521n - 0x5ae79787c40d069948033feb708f65a2fc44a36477663b851449048e16ec79bf7n,
  },
  secp256k1: {
    name: 'secp256k1',
    prime: 2n ** 256n - 2n ** 32n - 977n,
    order: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
  },
}

/** How long a coordinate of a curve is, and one half of a signature, in bytes. */
export const COORDINATE_BYTES: Readonly<Record<Curve, number>> = {
  'P-256': 32,
  'P-384': 48,
  'P-521': 66,
  secp256k1: 32,
}

/** The DER form of a signature that is `r ‖ s`, as PKCS#11 has it (v2.40, section 2.3.1). */
export function derSignature(concatenated: Buffer): Buffer {
  const half = concatenated.length / 2
  const body = Buffer.concat([
    derInteger(concatenated.subarray(0, half)),
    derInteger(concatenated.subarray(half)),
  ])
  return Buffer.concat([Buffer.of(0x30), derLength(body.length), body])
}

/**
 * Whether a DER signature is of this digest.
 *
 * The sum u1·G + u2·Q is put together from OpenSSL's own multiplications. Of u2·Q it gives only
 * the x-coordinate; which of the two points it is, that of (u2 + 1)·Q tells.
 */
export function verifiesDigest(
  publicKey: KeyObject,
  curve: Curve,
  digest: Buffer,
  signature: Buffer,
): boolean {
  const group = GROUPS[curve]
  const bytes = COORDINATE_BYTES[curve]
  const halves = halvesOf(signature, bytes)
  if (halves === undefined) return false
  const { r, s } = halves
  const { prime, order } = group
  if (r < 1n || r >= order || s < 1n || s >= order) return false
  const w = inverse(s, order)
  const u1 = (leftmostBits(digest, order) * w) % order
  const u2 = (r * w) % order
  const q = pointOf(publicKey)
  const second = multiple(q, u2, group, bytes)
  if (u1 === 0n) return second.x % order === r
  const first = multipleOfGenerator(u1, group, bytes)
  if (first.x !== second.x) return sumX(first, second, prime) % order === r
  // The one is the other, or its negative: then they have no sum.
  if (first.y !== second.y) return false
  return multipleOfGenerator((2n * u1) % order, group, bytes).x % order === r
}

/**
 * The public keys under which a signature `r ‖ s` is of this digest: two, of which the signature of
 * another digest tells the right one (SEC 1, version 2.0, section 4.1.6).
 *
 * @throws Error if it is no signature; such whose x-coordinate was reduced are as good as never made.
 */
export function recoveredKeys(curve: Curve, digest: Buffer, signature: Buffer): KeyObject[] {
  const group = GROUPS[curve]
  const bytes = COORDINATE_BYTES[curve]
  const { name, prime, order } = group
  const r = toNumber(signature.subarray(0, bytes))
  const s = toNumber(signature.subarray(bytes))
  const w = inverse(r, order)
  const factor = modulo(-leftmostBits(digest, order) * w, order)
  const first = multipleOfGenerator(factor, group, bytes)
  return [2, 3].map((sign) => {
    const compressed = Buffer.concat([Buffer.of(sign), toBytes(r, bytes)])
    const ephemeral = pointIn(ECDH.convertKey(compressed, name) as Buffer, bytes)
    const second = multiple(ephemeral, modulo(s * w, order), group, bytes)
    const x = sumX(first, second, prime)
    const slope = modulo(
      (second.y - first.y) * inverse(modulo(second.x - first.x, prime), prime),
      prime,
    )
    const y = modulo(slope * (first.x - x) - first.y, prime)
    const text = (number: bigint) => toBytes(number, bytes).toString('base64url')
    return createPublicKey({
      key: { kty: 'EC', crv: curve, x: text(x), y: text(y) },
      format: 'jwk',
    })
  })
}

interface Point {
  readonly x: bigint
  readonly y: bigint
}

/** `factor`·G, for a factor from 1 to the order less 1. */
function multipleOfGenerator(factor: bigint, { name }: Group, bytes: number): Point {
  const ecdh = createECDH(name)
  ecdh.setPrivateKey(toBytes(factor, bytes))
  return pointIn(ecdh.getPublicKey(), bytes)
}

/** `factor`·Q, for a factor from 1 to the order less 1. */
function multiple(q: Point, factor: bigint, { name, prime, order }: Group, bytes: number): Point {
  if (factor === 1n) return q
  if (factor === order - 1n) return { x: q.x, y: prime - q.y }
  const uncompressed = Buffer.concat([Buffer.of(4), toBytes(q.x, bytes), toBytes(q.y, bytes)])
  const xOf = (scalar: bigint) => {
    const ecdh = createECDH(name)
    ecdh.setPrivateKey(toBytes(scalar, bytes))
    return ecdh.computeSecret(uncompressed)
  }
  const compressed = Buffer.concat([Buffer.of(2), xOf(factor)])
  const even = pointIn(ECDH.convertKey(compressed, name) as Buffer, bytes)
  const nextX = toNumber(xOf(factor + 1n))
  return sumX(even, q, prime) === nextX ? even : { x: even.x, y: prime - even.y }
}

/** The x-coordinate of the sum of two points that are not on one vertical. */
function sumX(one: Point, other: Point, prime: bigint): bigint {
  const run = inverse(modulo(other.x - one.x, prime), prime)
  const slope = modulo((other.y - one.y) * run, prime)
  return modulo(slope * slope - one.x - other.x, prime)
}

/** The leftmost bits of a digest, as many as the order has (FIPS 186-5, section 6.4.1). */
function leftmostBits(digest: Buffer, order: bigint): bigint {
  const excess = digest.length * 8 - order.toString(2).length
  const whole = toNumber(digest)
  return excess > 0 ? whole >> BigInt(excess) : whole
}

/** The two numbers of a signature in strict DER; nothing for any other form. */
function halvesOf(signature: Buffer, bytes: number): { r: bigint; s: bigint } | undefined {
  const long = signature[1] === 0x81
  const bodyAt = long ? 3 : 2
  const rAt = bodyAt + 2
  const rLength = signature[bodyAt + 1] ?? 0
  const sAt = rAt + rLength + 2
  const r = toNumber(signature.subarray(rAt, sAt - 2))
  const s = toNumber(signature.subarray(sAt))
  if (r >> BigInt(8 * bytes) !== 0n || s >> BigInt(8 * bytes) !== 0n) return undefined
  // There is one right form of two numbers: what is not it is refused whatever is wrong.
  const right = derSignature(Buffer.concat([toBytes(r, bytes), toBytes(s, bytes)]))
  return right.equals(signature) ? { r, s } : undefined
}

function derInteger(value: Buffer): Buffer {
  let at = 0
  while (at < value.length - 1 && value[at] === 0) at++
  const digits = value.subarray(at)
  const isNegative = ((digits[0] ?? 0) & 0x80) !== 0
  const content = isNegative ? Buffer.concat([Buffer.of(0), digits]) : digits
  return Buffer.concat([Buffer.of(0x02), derLength(content.length), content])
}

function derLength(length: number): Buffer {
  return length < 0x80 ? Buffer.of(length) : Buffer.of(0x81, length)
}

function pointOf(publicKey: KeyObject): Point {
  const { x, y } = publicKey.export({ format: 'jwk' })
  if (x === undefined || y === undefined) throw new Error('the public key is no point')
  return {
    x: toNumber(Buffer.from(x, 'base64url')),
    y: toNumber(Buffer.from(y, 'base64url')),
  }
}

function pointIn(uncompressed: Buffer, bytes: number): Point {
  return {
    x: toNumber(uncompressed.subarray(1, 1 + bytes)),
    y: toNumber(uncompressed.subarray(1 + bytes)),
  }
}

/** The inverse by Euclid's algorithm; the value is not 0. */
function inverse(value: bigint, modulus: bigint): bigint {
  let [a, b] = [modulus, value]
  let [before, now] = [0n, 1n]
  while (b > 1n) {
    const quotient = a / b
    ;[a, b] = [b, a - quotient * b]
    ;[before, now] = [now, before - quotient * now]
  }
  return modulo(now, modulus)
}

function modulo(value: bigint, modulus: bigint): bigint {
  const rest = value % modulus
  return rest < 0n ? rest + modulus : rest
}

function toNumber(bytes: Buffer): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${bytes.toString('hex')}`)
}

function toBytes(value: bigint, length: number): Buffer {
  return Buffer.from(value.toString(16).padStart(2 * length, '0'), 'hex')
}

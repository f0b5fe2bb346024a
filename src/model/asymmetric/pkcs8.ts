/**
 * Private keys in PKCS #8 (RFC 5958) from their numbers, in buffers that can be zeroed: of RSA (RFC
 * 8017, section A.1.2), on a curve (RFC 5915) and of Ed25519 (RFC 8410).
 */

const TAG = { integer: 2, bitString: 3, octetString: 4, null: 5, sequence: 0x30, second: 0xa1 }

const RSA_ENCRYPTION = Buffer.from('06092a864886f70d010101', 'hex')
/** What stands before the seed: the algorithm, and the headers of two OCTET STRINGs. */
const ED25519_ALGORITHM = Buffer.from('300506032b657004220420', 'hex')
const ED25519_SEED_AT = 16
const ED25519_SEED_BYTES = 32
const EC_PUBLIC_KEY = Buffer.from('06072a8648ce3d0201', 'hex')

/**
 * Of RSA.
 *
 * @param numbers modulus, exponents, primes, their exponents and the coefficient, in this order.
 */
export function rsaPkcs8(numbers: readonly Buffer[]): Buffer {
  const parts = numbers.map(integer)
  const inner = der(TAG.sequence, [integer(Buffer.of(0)), ...parts])
  for (const part of parts) part.fill(0)
  return privateKeyInfo([RSA_ENCRYPTION, der(TAG.null, [])], inner)
}

/**
 * On a curve.
 *
 * @param parameters the object identifier of the curve in DER.
 * @param value the secret number, as long as a coordinate.
 * @param point the public point, uncompressed.
 */
export function ecPkcs8(parameters: Buffer, value: Buffer, point: Buffer): Buffer {
  const publicKey = der(TAG.second, [der(TAG.bitString, [Buffer.of(0), point])])
  const secret = der(TAG.octetString, [value])
  const inner = der(TAG.sequence, [integer(Buffer.of(1)), secret, publicKey])
  secret.fill(0)
  return privateKeyInfo([EC_PUBLIC_KEY, parameters], inner)
}

/**
 * Of Ed25519.
 *
 * @param parameters its object identifier in DER.
 * @param seed 32 bytes.
 */
export function ed25519Pkcs8(parameters: Buffer, seed: Buffer): Buffer {
  return privateKeyInfo([parameters], der(TAG.octetString, [seed]))
}

/**
 * The seed of an Ed25519 key: 32 bytes of `pkcs8` itself, not a copy.
 *
 * @returns `undefined` for what is no PKCS #8 of such a key, with its public half or without.
 */
export function ed25519Seed(pkcs8: Buffer): Buffer | undefined {
  const seed = pkcs8.subarray(ED25519_SEED_AT, ED25519_SEED_AT + ED25519_SEED_BYTES)
  const [sequence, length, tag, one, version] = pkcs8
  const isHead =
    sequence === TAG.sequence &&
    length === pkcs8.length - 2 &&
    tag === TAG.integer &&
    one === 1 &&
    (version === 0 || version === 1)
  const algorithm = pkcs8.subarray(ED25519_SEED_AT - ED25519_ALGORITHM.length, ED25519_SEED_AT)
  if (!isHead || !algorithm.equals(ED25519_ALGORITHM)) return undefined
  return seed.length === ED25519_SEED_BYTES ? seed : undefined
}

function privateKeyInfo(algorithm: readonly Buffer[], inner: Buffer): Buffer {
  const secret = der(TAG.octetString, [inner])
  inner.fill(0)
  const version = integer(Buffer.of(0))
  const whole = der(TAG.sequence, [version, der(TAG.sequence, algorithm), secret])
  secret.fill(0)
  return whole
}

function integer(value: Buffer): Buffer {
  const first = value.findIndex((byte) => byte !== 0)
  const digits = first < 0 ? Buffer.of(0) : value.subarray(first)
  const isNegative = ((digits[0] ?? 0) & 0x80) !== 0
  return der(TAG.integer, isNegative ? [Buffer.of(0), digits] : [digits])
}

function der(tag: number, parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const header = [tag, ...lengthOf(length)]
  const whole = Buffer.alloc(header.length + length)
  whole.set(header)
  let at = header.length
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

function lengthOf(length: number): readonly number[] {
  if (length < 0x80) return [length]
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
}

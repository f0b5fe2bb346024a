/** The other side's public key in an agreement, which anybody may have made. */

import { createPublicKey, type KeyObject } from 'node:crypto'
import { fail } from '../failures.ts'
import type { Curve } from '../key-specs.ts'
import { COORDINATE_BYTES } from './ecdsa.ts'
import { curveOf } from './verify.ts'

const SEQUENCE = 0x30
const BIT_STRING = 0x03
/** id-ecPublicKey. */
const EC_PUBLIC_KEY = Buffer.from('06072a8648ce3d0201', 'hex')
/** The object identifiers of the curves (RFC 5480, section 2.1.1.1, and SEC 2). */
const CURVE_NAMES: Readonly<Record<Curve, Buffer>> = {
  'P-256': Buffer.from('06082a8648ce3d030107', 'hex'),
  'P-384': Buffer.from('06052b81040022', 'hex'),
  'P-521': Buffer.from('06052b81040023', 'hex'),
  secp256k1: Buffer.from('06052b8104000a', 'hex'),
}

/**
 * The point of a public key, uncompressed.
 *
 * OpenSSL refuses what is not on the curve when it reads the key (SP 800-56A, section 5.6.2.3.3).
 * It takes more than DER, and curves that are spelled out instead of named, whatever cofactor they
 * have: nothing but the DER of the point, whole or compressed, is taken here (RFC 5480, section 2).
 *
 * @param spki SubjectPublicKeyInfo in DER, which has to name the curve.
 * @throws KmsError ValidationException for anything but a public key on this curve.
 */
export function peerPoint(spki: Buffer, curve: Curve): Buffer {
  const key = readable(spki)
  const point = key && curveOf(key) === curve ? pointOf(key, curve) : undefined
  if (point === undefined || !formsOf(point, curve).some((form) => form.equals(spki))) {
    fail('ValidationException', `PublicKey is not the DER form of a public key on ${curve}.`)
  }
  return point
}

function pointOf(key: KeyObject, curve: Curve): Buffer {
  const { x, y } = key.export({ format: 'jwk' })
  const length = COORDINATE_BYTES[curve]
  const point = Buffer.alloc(1 + 2 * length, 4)
  point.set(Buffer.from(x ?? '', 'base64url'), 1)
  point.set(Buffer.from(y ?? '', 'base64url'), 1 + length)
  return point
}

/** SubjectPublicKeyInfo of a point in DER, whole and compressed. */
function formsOf(point: Buffer, curve: Curve): readonly Buffer[] {
  const sign = (point.at(-1) ?? 0) & 1
  const x = point.subarray(1, 1 + COORDINATE_BYTES[curve])
  const algorithm = der(SEQUENCE, [EC_PUBLIC_KEY, CURVE_NAMES[curve]])
  return [point, Buffer.concat([Buffer.of(2 + sign), x])].map((bits) =>
    der(SEQUENCE, [algorithm, der(BIT_STRING, [Buffer.of(0), bits])]),
  )
}

function der(tag: number, parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const header = length < 0x80 ? [tag, length] : [tag, 0x81, length]
  return Buffer.concat([Buffer.of(...header), ...parts])
}

function readable(spki: Buffer) {
  try {
    return createPublicKey({ key: spki, format: 'der', type: 'spki' })
  } catch {
    return undefined
  }
}

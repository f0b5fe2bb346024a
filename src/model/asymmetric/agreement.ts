/** The other side's public key in an agreement, which anybody may have made. */

import { createPublicKey } from 'node:crypto'
import { fail } from '../failures.ts'
import type { Curve } from '../key-specs.ts'
import { COORDINATE_BYTES } from './ecdsa.ts'
import { curveOf } from './verify.ts'

/**
 * The point of a public key, uncompressed.
 *
 * OpenSSL refuses what is not on the curve when it reads the key (SP 800-56A, section 5.6.2.3.3).
 *
 * @param spki SubjectPublicKeyInfo in DER, which has to name the curve.
 * @throws KmsError ValidationException for anything but a public key on this curve.
 */
export function peerPoint(spki: Buffer, curve: Curve): Buffer {
  const key = readable(spki)
  if (key === undefined || curveOf(key) !== curve) {
    fail('ValidationException', `PublicKey is not the DER form of a public key on ${curve}.`)
  }
  const { x, y } = key.export({ format: 'jwk' })
  const length = COORDINATE_BYTES[curve]
  const point = Buffer.alloc(1 + 2 * length, 4)
  point.set(Buffer.from(x ?? '', 'base64url'), 1)
  point.set(Buffer.from(y ?? '', 'base64url'), 1 + length)
  return point
}

function readable(spki: Buffer) {
  try {
    return createPublicKey({ key: spki, format: 'der', type: 'spki' })
  } catch {
    return undefined
  }
}

/** The public half of a pair, from the attributes that a token answers. */

import { createPublicKey, type KeyObject } from 'node:crypto'
import pkcs11js, { type Handle } from 'pkcs11js'
import { COORDINATE_BYTES } from '../../model/asymmetric/ecdsa.ts'
import { type KeySpec, type Material, materialOf } from '../../model/key-specs.ts'
import { TokenError } from '../token/return-values.ts'
import type { TokenSession } from '../token/session.ts'

const ED25519_BYTES = 32

/** A DER OCTET STRING of less than 256 bytes. */
const OCTET_STRING = 0x04
const LONG_LENGTH = 0x81

/**
 * Reads the public half of a pair from its object: the public one, or, where the token tells, the
 * private one.
 *
 * @throws TokenError when the object has no such attributes; Error when they make no key.
 */
export function readPublicKey(session: TokenSession, object: Handle, spec: KeySpec): KeyObject {
  const material = materialOf(spec)
  if (material.type === 'RSA') {
    const { CKA_MODULUS, CKA_PUBLIC_EXPONENT } = pkcs11js
    const [n = Buffer.alloc(0), e = Buffer.alloc(0)] = session.read(object, [
      CKA_MODULUS,
      CKA_PUBLIC_EXPONENT,
    ])
    return checked(
      createPublicKey({ key: { kty: 'RSA', n: text(n), e: text(e) }, format: 'jwk' }),
      material,
    )
  }
  const [point = Buffer.alloc(0)] = session.read(object, [pkcs11js.CKA_EC_POINT])
  if (material.type === 'Ed25519') {
    const x = text(pointOf(point, ED25519_BYTES))
    return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  }
  if (material.type !== 'EC') throw new Error(`${spec} has no public half`)
  const { curve: crv } = material
  const length = COORDINATE_BYTES[crv]
  const raw = pointOf(point, 1 + 2 * length)
  const x = text(raw.subarray(1, 1 + length))
  const y = text(raw.subarray(1 + length))
  return createPublicKey({ key: { kty: 'EC', crv, x, y }, format: 'jwk' })
}

/** The same of an object that may not tell. */
export function mayReadPublicKey(
  session: TokenSession,
  object: Handle,
  spec: KeySpec,
): KeyObject | undefined {
  try {
    return readPublicKey(session, object, spec)
  } catch (cause) {
    if (cause instanceof TokenError && cause.value.fault !== 'us') throw cause
    return undefined
  }
}

/** SubjectPublicKeyInfo in DER. */
export function spkiOf(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' })
}

/** A public key from SubjectPublicKeyInfo in DER. */
export function publicKeyFrom(spki: Buffer): KeyObject {
  return createPublicKey({ key: spki, format: 'der', type: 'spki' })
}

/** Whether it is as long as it has to be. */
function checked(key: KeyObject, material: Material & { type: 'RSA' }): KeyObject {
  const { modulusLength, publicExponent } = key.asymmetricKeyDetails ?? {}
  if (modulusLength !== material.modulusBits || publicExponent !== 65537n) {
    throw new Error(`the token made an RSA key of ${modulusLength} bits, e = ${publicExponent}`)
  }
  return key
}

/**
 * CKA_EC_POINT, which some tokens answer in an OCTET STRING and some as it is: its length decides,
 * since a point may begin with what looks like DER.
 */
function pointOf(value: Buffer, length: number): Buffer {
  if (value.length === length) return value
  const header = length < 0x80 ? [OCTET_STRING, length] : [OCTET_STRING, LONG_LENGTH, length]
  const isWrapped =
    value.length === header.length + length && header.every((byte, at) => value[at] === byte)
  if (isWrapped) return value.subarray(header.length)
  throw new Error(`a point of ${value.length} bytes, not of ${length}`)
}

function text(value: Buffer): string {
  return value.toString('base64url')
}

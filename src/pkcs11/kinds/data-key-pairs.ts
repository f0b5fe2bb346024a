/**
 * Data key pairs: made in the token as session objects that may be read, since whoever asked is to
 * have the private half, and put into PKCS #8 here.
 */

import { createPrivateKey, createPublicKey } from 'node:crypto'
import pkcs11js from 'pkcs11js'
import { COORDINATE_BYTES } from '../../model/asymmetric/ecdsa.ts'
import { ecPkcs8, ed25519Pkcs8, rsaPkcs8 } from '../../model/asymmetric/pkcs8.ts'
import { type KeySpec, materialOf } from '../../model/key-specs.ts'
import {
  CURVE_PARAMETERS,
  ED25519_PARAMETERS,
  generationOf,
  type Proved,
} from '../token/mechanisms.ts'
import type { TokenSession } from '../token/session.ts'
import { dataKeyPairTemplate, publicKeyTemplate } from '../token/templates.ts'
import { readPublicKey, spkiOf } from './public-keys.ts'

/** A data key pair. */
export interface MadeDataKeyPair {
  /** PKCS #8 in DER; zeroed by the caller. */
  readonly privateKey: Buffer
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKey: Buffer
}

const ED25519_BYTES = 32
const RSA_NUMBERS = [
  pkcs11js.CKA_MODULUS,
  pkcs11js.CKA_PUBLIC_EXPONENT,
  pkcs11js.CKA_PRIVATE_EXPONENT,
  pkcs11js.CKA_PRIME_1,
  pkcs11js.CKA_PRIME_2,
  pkcs11js.CKA_EXPONENT_1,
  pkcs11js.CKA_EXPONENT_2,
  pkcs11js.CKA_COEFFICIENT,
]

/**
 * Makes a data key pair, and makes sure that its halves belong together.
 *
 * @throws TokenError what the token answered; Error when it answered something wrong.
 */
export function makeDataKeyPair(
  session: TokenSession,
  spec: KeySpec,
  proved: Proved,
): MadeDataKeyPair {
  const generation = generationOf({ spec, usage: 'SIGN_VERIFY' }, proved)
  const pair = session.generateKeyPair(
    generation.mechanism,
    publicKeyTemplate(generation),
    dataKeyPairTemplate(generation),
  )
  const numbers: Buffer[] = []
  try {
    const half = readPublicKey(session, pair.publicKey, spec)
    const publicKey = spkiOf(half)
    const material = materialOf(spec)
    const types = material.type === 'RSA' ? RSA_NUMBERS : [pkcs11js.CKA_VALUE]
    numbers.push(...session.read(pair.privateKey, types))
    const privateKey = pkcs8Of(spec, numbers, publicKey)
    const fromPrivate = createPublicKey(
      createPrivateKey({ key: privateKey, format: 'der', type: 'pkcs8' }),
    )
    if (spkiOf(fromPrivate).equals(publicKey)) return { privateKey, publicKey }
    privateKey.fill(0)
    throw new Error('the halves of a data key pair do not belong together')
  } finally {
    for (const number of numbers) number.fill(0)
    session.destroyObject(pair.privateKey)
    session.destroyObject(pair.publicKey)
  }
}

function pkcs8Of(spec: KeySpec, numbers: readonly Buffer[], publicKey: Buffer): Buffer {
  const material = materialOf(spec)
  if (material.type === 'RSA') return rsaPkcs8(numbers)
  const value = numbers[0] ?? Buffer.alloc(0)
  // Tokens leave out the zeros that a number begins with.
  const padded = (length: number) => {
    const whole = Buffer.alloc(length)
    whole.set(value, length - value.length)
    return whole
  }
  if (material.type === 'Ed25519') {
    const seed = padded(ED25519_BYTES)
    const made = ed25519Pkcs8(ED25519_PARAMETERS, seed)
    seed.fill(0)
    return made
  }
  if (material.type !== 'EC') throw new Error(`no data key pairs of ${spec}`)
  const { curve } = material
  const length = COORDINATE_BYTES[curve]
  const secret = padded(length)
  const point = publicKey.subarray(-(1 + 2 * length))
  const made = ecPkcs8(CURVE_PARAMETERS[curve], secret, point)
  secret.fill(0)
  return made
}

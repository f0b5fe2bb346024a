/** Proofs that a key of another kind than for symmetric encryption works, by using it. */

import { type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Handle } from 'pkcs11js'
import { HASH_BYTES, MAC_HASHES, signatureScheme } from '../../model/asymmetric/schemes.ts'
import { verifiesSignature } from '../../model/asymmetric/verify.ts'
import { type KeyKind, keySpecRow, materialOf } from '../../model/key-specs.ts'
import { macMechanism, type Proved, signingSteps } from './mechanisms.ts'
import type { TokenSession } from './session.ts'

/**
 * Uses a key as its kind says, and looks with the public half, if it has one, whether the two
 * belong together.
 *
 * @throws TokenError what the token answered; Error when it answered something wrong.
 */
export function proveKind(
  session: TokenSession,
  key: Handle,
  { kind, publicKey, proved }: { kind: KeyKind; publicKey?: KeyObject; proved: Proved },
): void {
  switch (kind.usage) {
    case 'GENERATE_VERIFY_MAC':
      proveMac(session, key, kind)
      return
    case 'SIGN_VERIFY':
      proveSignature(session, key, { kind, publicKey, proved })
      return
    default:
      throw new Error(`no proof for ${kind.usage}`)
  }
}

function proveMac(session: TokenSession, key: Handle, { spec }: KeyKind): void {
  const [algorithm] = keySpecRow(spec).macAlgorithms
  if (algorithm === undefined) throw new Error(`${spec} makes no MACs`)
  const hash = MAC_HASHES[algorithm]
  const { mechanism } = macMechanism(hash)
  const mac = (message: Buffer) => Buffer.from(session.sign(key, { mechanism }, message))
  const message = randomBytes(32)
  const [one, again, other] = [mac(message), mac(message), mac(randomBytes(32))]
  if (one.length !== HASH_BYTES[hash]) throw new Error(`a MAC of ${one.length} bytes`)
  if (!timingSafeEqual(one, again)) throw new Error('two MACs of one message differ')
  if (timingSafeEqual(one, other)) throw new Error('two messages have one MAC')
}

function proveSignature(
  session: TokenSession,
  key: Handle,
  { kind, publicKey, proved }: { kind: KeyKind; publicKey?: KeyObject; proved: Proved },
): void {
  if (publicKey === undefined) throw new Error('the public half is not known')
  const [algorithm] = keySpecRow(kind.spec).signingAlgorithms
  const scheme = algorithm && signatureScheme(algorithm)
  if (algorithm === undefined || scheme === undefined) throw new Error(`${kind.spec} signs nothing`)
  const input = { message: randomBytes(32), isDigest: false }
  const steps = signingSteps(scheme, materialOf(kind.spec), input, proved)
  if (typeof steps === 'string') throw new Error(`${steps} is not proved`)
  const signature = steps.signature(session.sign(key, steps.mechanism, steps.input))
  if (!verifiesSignature(publicKey, algorithm, input, signature)) {
    throw new Error('its signature is not of the public half')
  }
}

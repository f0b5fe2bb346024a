/** Proofs that a key of another kind than for symmetric encryption works, by using it. */

import {
  constants,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  publicEncrypt,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto'
import type { Handle } from 'pkcs11js'
import { peerPoint } from '../../model/asymmetric/agreement.ts'
import {
  HASH_BYTES,
  MAC_HASHES,
  OAEP_HASHES,
  signatureScheme,
} from '../../model/asymmetric/schemes.ts'
import { curveOf, verifiesSignature } from '../../model/asymmetric/verify.ts'
import {
  type KeyKind,
  keySpecRow,
  materialOf,
  type OaepAlgorithm,
  type SigningAlgorithm,
} from '../../model/key-specs.ts'
import { macMechanism, type Proved, signingSteps } from '../token/mechanisms.ts'
import type { TokenSession } from '../token/session.ts'
import { agree, decryptOaep, oaepWay } from './private-operations.ts'

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
    case 'ENCRYPT_DECRYPT':
      proveDecryption(session, key, publicKey, proved)
      return
    case 'KEY_AGREEMENT':
      proveAgreement(session, key, publicKey)
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
  if (algorithm === undefined) throw new Error(`${kind.spec} signs nothing`)
  proveAlgorithm(session, key, { kind, publicKey, proved, algorithm })
}

/** Signs by an algorithm, and verifies in software. */
export function proveAlgorithm(
  session: TokenSession,
  key: Handle,
  given: {
    readonly kind: KeyKind
    readonly publicKey: KeyObject
    readonly proved: Proved
    readonly algorithm: SigningAlgorithm
  },
): void {
  const { kind, publicKey, proved, algorithm } = given
  const scheme = signatureScheme(algorithm)
  if (scheme === undefined) throw new Error(`nothing is known of ${algorithm}`)
  const input = { message: randomBytes(32), isDigest: false }
  const steps = signingSteps(scheme, materialOf(kind.spec), input, proved)
  if (typeof steps === 'string') throw new Error(`${steps} is not proved`)
  const signature = steps.signature(session.sign(key, steps.mechanism, steps.input))
  if (!verifiesSignature(publicKey, algorithm, input, signature)) {
    throw new Error('its signature is not of the public half')
  }
}

/** By every algorithm that the token has; one at the least. */
function proveDecryption(
  session: TokenSession,
  key: Handle,
  publicKey: KeyObject | undefined,
  proved: Proved,
): void {
  if (publicKey === undefined) throw new Error('the public half is not known')
  let decrypts = false
  for (const algorithm of ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'] as const) {
    const way = oaepWay(algorithm, proved)
    if (way !== 'padded' && way !== 'raw') continue
    const message = randomBytes(32)
    const opened = decryptOaep(session, key, encryptOaep(publicKey, algorithm, message), {
      algorithm,
      way,
    })
    if (!opened?.equals(message)) throw new Error(`it decrypts ${algorithm} to something else`)
    decrypts = true
  }
  if (!decrypts) throw new Error('it decrypts by no algorithm')
}

/** Encrypts with the public half, outside the token. */
export function encryptOaep(key: KeyObject, algorithm: OaepAlgorithm, message: Buffer): Buffer {
  const padding = constants.RSA_PKCS1_OAEP_PADDING
  return publicEncrypt({ key, padding, oaepHash: OAEP_HASHES[algorithm] }, message)
}

function proveAgreement(
  session: TokenSession,
  key: Handle,
  publicKey: KeyObject | undefined,
): void {
  const curve = publicKey && curveOf(publicKey)
  if (publicKey === undefined || curve === undefined) {
    throw new Error('the public half is not known')
  }
  const peer = generateKeyPairSync('ec', { namedCurve: curve })
  const spki = peer.publicKey.export({ type: 'spki', format: 'der' })
  const agreed = agree(session, key, curve, peerPoint(spki, curve))
  if (!timingSafeEqual(agreed, diffieHellman({ privateKey: peer.privateKey, publicKey }))) {
    throw new Error('it agrees on something else')
  }
}

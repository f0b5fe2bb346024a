/**
 * The verbs of a worker for keys of other kinds than for symmetric encryption: signatures,
 * MACs, decryption, agreement and data key pairs. What a key does is decided by its spec, its algorithm and the table of mechanisms.
 */

import { type KeyObject, timingSafeEqual } from 'node:crypto'
import {
  HASH_BYTES,
  MAC_HASHES,
  signatureScheme,
  type ToSign,
} from '../../model/asymmetric/schemes.ts'
import { verifiesSignature } from '../../model/asymmetric/verify.ts'
import {
  type KeySpec,
  type MacAlgorithm,
  materialOf,
  type OaepAlgorithm,
  type SigningAlgorithm,
} from '../../model/key-specs.ts'
import { type MadeDataKeyPair, makeDataKeyPair } from '../kinds/data-key-pairs.ts'
import { agree, decryptOaep, oaepWay } from '../kinds/private-operations.ts'
import { publicKeyFrom } from '../kinds/public-keys.ts'
import {
  generationOf,
  type KindCapability,
  macMechanism,
  type Proved,
  signingSteps,
} from '../token/mechanisms.ts'
import { STATUS } from '../wire.ts'
import { DeviceFaultError, type GuardedSession, StatusError } from './guarded-session.ts'

const PUBLIC_KEYS_MAX = 20_000
const NOTHING: Buffer = Buffer.alloc(0)

/** A key as a call names it. */
export interface NamedKey {
  readonly spec: KeySpec
  /** CKA_ID as Latin-1 text. */
  readonly entry: string
}

/** The same of a pair. */
export interface NamedPair extends NamedKey {
  /** SubjectPublicKeyInfo in DER; a view, good for the call. */
  readonly publicKey: Buffer
}

/** The verbs. What they hand out is a view, good until the next call. */
export class KeyVerbs {
  readonly #guard: GuardedSession
  readonly #proved: Proved
  /** By entry; a backing key has one public half for good. */
  readonly #publicKeys = new Map<string, { spki: Buffer; key: KeyObject }>()

  constructor(guard: GuardedSession) {
    this.#guard = guard
    const proved = new Set(guard.token.proved)
    this.#proved = (name) => proved.has(name)
  }

  /** Signs; the signature has been verified with the public half. */
  sign(pair: NamedPair, algorithm: SigningAlgorithm, toSign: ToSign): Buffer {
    const scheme = signatureScheme(algorithm)
    if (scheme === undefined) lack(`the algorithm ${algorithm}`)
    const steps = signingSteps(scheme, materialOf(pair.spec), toSign, this.#proved)
    if (typeof steps === 'string') lack(steps)
    const signature = this.#guard.safely(
      (session) =>
        steps.signature(
          session.sign(this.#guard.handleOf(pair.entry), steps.mechanism, steps.input),
        ),
      'other',
    )
    if (verifiesSignature(this.#publicKeyOf(pair), algorithm, toSign, signature)) return signature
    throw new DeviceFaultError('the token made a signature that does not verify')
  }

  /** Makes a MAC. */
  mac({ entry }: NamedKey, algorithm: MacAlgorithm, message: Buffer): Buffer {
    const hash = MAC_HASHES[algorithm]
    const { mechanism, capability } = macMechanism(hash)
    if (!this.#proved(capability)) lack(capability)
    const mac = this.#guard.safely(
      (session) => session.sign(this.#guard.handleOf(entry), { mechanism }, message),
      'other',
    )
    if (mac.length === HASH_BYTES[hash]) return mac
    throw new DeviceFaultError(`the token made a MAC of ${mac.length} bytes`)
  }

  /** Decrypts by RSAES-OAEP; the caller zeroes what comes out. */
  decrypt({ entry }: NamedKey, algorithm: OaepAlgorithm, ciphertext: Buffer): Buffer {
    const way = oaepWay(algorithm, this.#proved)
    if (way !== 'padded' && way !== 'raw') lack(way)
    const decrypt = () =>
      this.#guard.safely(
        (session) =>
          decryptOaep(session, this.#guard.handleOf(entry), ciphertext, { algorithm, way }),
        'decrypts',
      )
    const message = decrypt()
    if (this.#guard.token.verifyDecryption) compare(message, decrypt())
    if (message !== undefined) return message
    throw new StatusError(STATUS.invalidCiphertext, 'the padding is not right')
  }

  /** Agrees on a secret; the caller zeroes it. */
  agree({ entry, spec }: NamedKey, point: Buffer): Buffer {
    const material = materialOf(spec)
    if (material.type !== 'EC' || !this.#proved('CKM_ECDH1_DERIVE')) lack('CKM_ECDH1_DERIVE')
    const { curve } = material
    return this.#guard.safely(
      (session) => agree(session, this.#guard.handleOf(entry), curve, point),
      'other',
    )
  }

  /** Makes a data key pair; the caller zeroes its private half. */
  makeDataKeyPair(spec: KeySpec): MadeDataKeyPair {
    const { capabilities } = generationOf({ spec, usage: 'SIGN_VERIFY' }, this.#proved)
    const missing = capabilities.find((name) => !this.#proved(name))
    if (missing !== undefined) lack(missing)
    return this.#guard.safely((session) => makeDataKeyPair(session, spec, this.#proved), 'other')
  }

  #publicKeyOf({ entry, publicKey }: NamedPair): KeyObject {
    const known = this.#publicKeys.get(entry)
    if (known?.spki.equals(publicKey)) return known.key
    const spki = Buffer.from(publicKey)
    const key = publicKeyFrom(spki)
    if (this.#publicKeys.size >= PUBLIC_KEYS_MAX) this.#publicKeys.clear()
    this.#publicKeys.set(entry, { spki, key })
    return key
  }
}

/** Refuses two decryptions of one ciphertext that differ; the second one is zeroed. */
function compare(message: Buffer = NOTHING, again: Buffer = NOTHING): void {
  const isSame = message.length === again.length && timingSafeEqual(message, again)
  again.fill(0)
  if (isSame) return
  message.fill(0)
  throw new DeviceFaultError('the token decrypts one ciphertext to two plaintexts')
}

/** The token has not proved what a call needs. */
function lack(what: KindCapability | string): never {
  throw new StatusError(STATUS.unsupported, what)
}

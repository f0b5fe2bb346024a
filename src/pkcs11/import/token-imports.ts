/** Wrapping keys and imported material in the token, one call at a time. */

import {
  constants,
  createPublicKey,
  type KeyObject,
  publicEncrypt,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto'
import pkcs11js, { type Handle, type Mechanism } from 'pkcs11js'
import { fail } from '../../model/failures.ts'
import {
  WRAPPING_KEY_BITS,
  type WrappingAlgorithm,
  wrappingAlgorithmRow,
} from '../../model/import/wrapping.ts'
import { type KeyKind, materialOf } from '../../model/key-specs.ts'
import type { TokenKind } from '../process/backing-key.ts'
import { labelOf, refuse } from '../process/object-search.ts'
import type { TokenObjects } from '../process/objects.ts'
import { TokenError } from '../token/return-values.ts'
import type { TokenSession } from '../token/session.ts'
import { ID_BYTES, isTrue, LABEL_PREFIX, templateFaults } from '../token/templates.ts'
import type { HsmImports, ImportVerbs, SentMaterial } from './hsm-imports.ts'
import { sampleOf } from './samples.ts'
import { type Target, targetOf } from './targets.ts'
import {
  PUBLIC_EXPONENT,
  type UnwrappingWay,
  WRAPPING_KEY_LABEL,
  wrappingKeyTemplate,
  wrappingPublicKeyTemplate,
} from './templates.ts'
import {
  keyWrapMechanism,
  NotWrappedError,
  NoWayError,
  type UnwrappedTarget,
  type UnwrappingKey,
  unwrap,
  WrongKeyError,
  wrapWithPadding,
} from './unwrapping.ts'

const CANNOT_UNWRAP = 'The key material cannot be decrypted.'
const WRONG_KEY = 'The key material is not of the kind that the key is for.'
const AES_BYTES = 32
const AES: KeyKind = { spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT' }

type ImportInput = ImportVerbs['importBackingKey']['takes']

interface Sent {
  readonly algorithm: WrappingAlgorithm
  readonly material: Buffer
  readonly kind: KeyKind
}

interface ImportSettings extends TokenKind {
  /** Whether nothing may be taken off outside of the token. */
  readonly fips: boolean
}

/** The imports of a token. */
export class TokenImports {
  readonly #objects: TokenObjects
  readonly #settings: ImportSettings
  /** Which way works for an algorithm and a spec: the token stays as it is meanwhile. */
  readonly #ways = new Map<string, UnwrappingWay>()
  #keyWrap: Mechanism | undefined

  constructor(objects: TokenObjects, settings: ImportSettings) {
    this.#objects = objects
    this.#settings = settings
  }

  /**
   * Makes a wrapping key, in whose way the token unwraps by itself if it can.
   *
   * @returns its public half: a DER SubjectPublicKeyInfo.
   * @throws KmsError UnsupportedOperationException if there is no way.
   */
  makeWrappingKey(input: Parameters<HsmImports['makeWrappingKey']>[0]): Buffer {
    const name = `${input.algorithm} ${input.kind.spec}`
    const known = this.#ways.get(name)
    const ways = known === undefined ? this.#waysOf(input.kind) : [known]
    for (const way of ways) {
      const made = this.#objects.withCanary((session) => this.#make(session, input, way))
      if (made === undefined) continue
      this.#ways.set(name, way)
      return made
    }
    const what = `does not unwrap keys of ${input.kind.spec} by ${input.algorithm}`
    return fail('UnsupportedOperationException', `The HSM ${what}.`)
  }

  /** No token tells enough of an Ed25519 key that it unwraps; see `targetOf`. */
  #waysOf({ spec }: KeyKind): readonly UnwrappingWay[] {
    const alone: readonly UnwrappingWay[] =
      materialOf(spec).type === 'Ed25519' ? [] : (['unwraps'] as const)
    return this.#settings.fips ? alone : [...alone, 'decrypts']
  }

  /** Destroys a wrapping key and makes sure that it is gone. */
  destroyWrappingKey(id: string): void {
    const gone = this.#objects.withCanary((session) => {
      const found = session.find(privateKeyOf(id))
      for (const handle of found) {
        if (!labelOf(session, handle).startsWith(WRAPPING_KEY_LABEL)) refuse(`${id} does not wrap`)
        this.#objects.durably('object destroyed', () => session.destroyObject(handle))
      }
      return found.length === 0
    })
    if (gone) return
    const left = this.#objects.withCanary((session) => session.find(privateKeyOf(id)).length)
    if (left > 0) refuse(`the wrapping key ${id} is still there`)
  }

  /** The ids of all wrapping keys. */
  listWrappingKeys(): readonly string[] {
    return this.#objects.withCanary((session) => {
      const handles = session.find([
        { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_PRIVATE_KEY },
        { type: pkcs11js.CKA_TOKEN, value: true },
      ])
      return handles
        .filter((handle) => labelOf(session, handle).startsWith(WRAPPING_KEY_LABEL))
        .map((handle) => session.read(handle, [pkcs11js.CKA_ID])[0]?.toString('hex') ?? '')
    })
  }

  /** Says which material was sent. */
  checkMaterial(sent: SentMaterial): string {
    return this.#believed(sent, (session) => {
      const key = wrappingKeyOf(session, sent.wrappingKeyId)
      return this.#checkValue(session, key, opened(sent)).toString('hex')
    })
  }

  /** Makes material that was sent a backing key, if it is that of the check value. */
  importBackingKey(input: ImportInput): Buffer | undefined {
    const { id, label, suite, spec, usage } = input
    const target = targetOf(input, this.#settings.proved)
    const publicKey = target.isPublicKey ? Buffer.from(input.checkValue, 'hex') : undefined
    if (!label.startsWith(LABEL_PREFIX)) refuse(`the label ${label} is no backing key's`)
    if (Buffer.from(id, 'hex').length !== ID_BYTES) refuse(`the id ${id} is not 16 bytes long`)
    this.#believed(input, (session) => {
      const expected = Buffer.from(input.checkValue, 'hex')
      const key = wrappingKeyOf(session, input.wrappingKeyId)
      const actual = this.#checkValue(session, key, opened(input))
      if (expected.length !== actual.length || !timingSafeEqual(expected, actual)) {
        refuse('the key material is not what it was')
      }
    })
    const kind = suite === undefined ? { spec, usage } : { suite }
    this.#objects.importKey({ id, label, ...kind }, (session, template) => {
      const key = wrappingKeyOf(session, input.wrappingKeyId)
      const handle = this.#unwrap(session, key, opened(input), { ...target, template })
      return { handle, publicKey }
    })
    return publicKey
  }

  /** @returns `undefined` if this is no way for this token: nothing is left of it then. */
  #make(
    session: TokenSession,
    input: Parameters<HsmImports['makeWrappingKey']>[0],
    way: UnwrappingWay,
  ): Buffer | undefined {
    const { id, keyId, spec } = input
    const name = { id: Buffer.from(id, 'hex'), label: `${WRAPPING_KEY_LABEL}${keyId}` }
    if (name.id.length !== ID_BYTES) refuse(`the id ${id} is not 16 bytes long`)
    if (session.find(privateKeyOf(id)).length > 0) refuse(`a wrapping key ${id} exists already`)
    const bits = WRAPPING_KEY_BITS[spec]
    const template = wrappingKeyTemplate(name, way, this.#settings.profile)
    const { publicKey, privateKey } = this.#objects.durably('object made', () =>
      session.generateKeyPair(
        pkcs11js.CKM_RSA_PKCS_KEY_PAIR_GEN,
        wrappingPublicKeyTemplate(bits),
        template,
      ),
    )
    let isProved = false
    try {
      const actual = session.read(
        privateKey,
        template.map(({ type }) => type),
      )
      const faults = templateFaults(template, actual)
      if (faults.length > 0) refuse(`the wrapping key ${id} is not as it has to be: ${faults}`)
      const key = publicKeyOf(session, publicKey)
      isProved = this.#proves(session, { handle: privateKey, way, bytes: bits / 8 }, key, input)
      return isProved ? key.export({ type: 'spki', format: 'der' }) : undefined
    } finally {
      if (!isProved) {
        this.#objects.durably('object destroyed', () => session.destroyObject(privateKey))
      }
    }
  }

  /** Whether what software wraps under a wrapping key is what the token unwraps. */
  #proves(
    session: TokenSession,
    key: UnwrappingKey,
    publicKey: KeyObject,
    { algorithm, kind: wanted }: Pick<Sent, 'algorithm' | 'kind'>,
  ): boolean {
    const kind = provedKind(wanted, algorithm)
    const { value, checkValue } = sampleOf(kind)
    const trial = session.another()
    try {
      const sent = { algorithm, material: wrap(value, publicKey, algorithm), kind }
      if (!this.#checkValue(trial, key, sent).equals(checkValue)) return false
      return this.#unwrapped(trial, key, sent, (handle, { template }) => {
        const types = template.map(({ type }) => type)
        // Some tokens give a private key that they unwrap more usages than they are told.
        return templateFaults(template, trial.read(handle, types)).length === 0
      })
    } catch (cause) {
      if (cause instanceof NoWayError) return false
      // What the token says of the mechanism, rather than of the moment.
      if (cause instanceof TokenError && cause.value.fault === 'us') return false
      throw cause
    } finally {
      trial.close()
    }
  }

  /** The check value of what is unwrapped into an object that does not stay. */
  #checkValue(session: TokenSession, key: UnwrappingKey, sent: Sent): Buffer {
    return this.#unwrapped(session, key, sent, (handle, target) => {
      const { throughAes } = wrappingAlgorithmRow(sent.algorithm)
      const wrappedBytes = throughAes ? sent.material.length - key.bytes : undefined
      return target.checkValue(session, handle, wrappedBytes)
    })
  }

  /** Unwraps into an object that does not stay. */
  #unwrapped<T>(
    session: TokenSession,
    key: UnwrappingKey,
    sent: Sent,
    use: (handle: Handle, target: Target) => T,
  ): T {
    const target = targetOf(sent.kind, this.#settings.proved)
    const handle = this.#unwrap(session, key, sent, target)
    try {
      return use(handle, target)
    } finally {
      session.destroyObject(handle)
    }
  }

  #unwrap(session: TokenSession, key: UnwrappingKey, sent: Sent, target: UnwrappedTarget): Handle {
    return unwrap(session, key, sent, () => this.#keyWrapOf(session), target)
  }

  #keyWrapOf(session: TokenSession): Mechanism {
    this.#keyWrap ??= keyWrapMechanism(session)
    return (
      this.#keyWrap ??
      fail('UnsupportedOperationException', 'The HSM has no AES Key Wrap with Padding (RFC 5649).')
    )
  }

  /**
   * Asks the token, at most twice: what it says against the material is believed when it is said
   * twice by a token that still unwraps what is known, and said on in one form whatever it was.
   */
  #believed<T>(sent: SentMaterial, ask: (session: TokenSession) => T): T {
    for (let attempt = 1; ; attempt++) {
      try {
        return this.#objects.withCanary(ask)
      } catch (cause) {
        if (!speaksOfTheMaterial(cause)) throw cause
        if (attempt === 1) continue
        this.#stillUnwraps(sent)
        if (cause instanceof WrongKeyError) fail('IncorrectKeyMaterialException', WRONG_KEY)
        fail('InvalidCiphertextException', CANNOT_UNWRAP, { cause })
      }
    }
  }

  /** @throws Error when the fault is the token's. */
  #stillUnwraps({ wrappingKeyId, algorithm, spec, usage }: SentMaterial): void {
    this.#objects.withCanary((session) => {
      const key = wrappingKeyOf(session, wrappingKeyId)
      const proof = { algorithm, kind: { spec, usage } }
      if (this.#proves(session, key, publicKeyOf(session, key.handle), proof)) return
      refuse(`the wrapping key ${wrappingKeyId} does not unwrap what is known`)
    })
  }
}

/** What is unwrapped for a proof: the same as is wanted, as far as that matters to the token. */
function provedKind(kind: KeyKind, algorithm: WrappingAlgorithm): KeyKind {
  if (materialOf(kind.spec).type !== 'RSA') return kind
  // No key of RSA is short enough to be encrypted by RSA.
  return wrappingAlgorithmRow(algorithm).throughAes ? { ...kind, spec: 'RSA_2048' } : AES
}

function opened({ algorithm, encryptedKeyMaterial, spec, usage }: SentMaterial): Sent {
  return { algorithm, material: Buffer.from(encryptedKeyMaterial, 'base64'), kind: { spec, usage } }
}

function speaksOfTheMaterial(cause: unknown): boolean {
  if (cause instanceof NotWrappedError || cause instanceof WrongKeyError) return true
  if (!(cause instanceof TokenError)) return false
  const { call, value } = cause
  if (call !== 'C_UnwrapKey' && call !== 'C_Decrypt') return false
  return value.fault === 'caller' || value.fault === 'ambiguous'
}

function wrappingKeyOf(session: TokenSession, id: string): UnwrappingKey {
  const [handle, ...others] = session.find(privateKeyOf(id))
  if (others.length > 0) refuse(`${others.length + 1} private keys have the id ${id}`)
  if (handle === undefined) {
    return fail('KeyUnavailableException', 'The wrapping key cannot be found in the HSM.')
  }
  if (!labelOf(session, handle).startsWith(WRAPPING_KEY_LABEL)) refuse(`${id} does not wrap`)
  const [unwraps, modulus] = session.read(handle, [pkcs11js.CKA_UNWRAP, pkcs11js.CKA_MODULUS])
  return {
    handle,
    way: isTrue(unwraps) ? 'unwraps' : 'decrypts',
    bytes: modulus?.length ?? 0,
  }
}

function privateKeyOf(id: string) {
  return [
    { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_PRIVATE_KEY },
    { type: pkcs11js.CKA_ID, value: Buffer.from(id, 'hex') },
  ]
}

/** From either half: its exponent is the one that it was made with. */
function publicKeyOf(session: TokenSession, handle: Handle): KeyObject {
  const [n] = session.read(handle, [pkcs11js.CKA_MODULUS])
  const e = PUBLIC_EXPONENT.toString('base64url')
  return createPublicKey({ key: { kty: 'RSA', n: n?.toString('base64url'), e }, format: 'jwk' })
}

/** Wraps as an owner of key material does. */
function wrap(value: Buffer, publicKey: KeyObject, algorithm: WrappingAlgorithm): Buffer {
  const { hash, throughAes } = wrappingAlgorithmRow(algorithm)
  const padding = constants.RSA_PKCS1_OAEP_PADDING
  const oaep = (data: Buffer) => publicEncrypt({ key: publicKey, padding, oaepHash: hash }, data)
  if (!throughAes) return oaep(value)
  const aesKey = randomBytes(AES_BYTES)
  return Buffer.concat([oaep(aesKey), wrapWithPadding(value, aesKey)])
}

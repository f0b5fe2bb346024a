/**
 * Object management: making, proving, listing and destroying backing keys, one at a time. Nothing
 * is said to be absent before the canary has been found afresh and used.
 */

import pkcs11js, { type Handle } from 'pkcs11js'
import { KmsError } from '../../model/failures.ts'
import type { CipherSuite } from '../../model/key.ts'
import type { KeyKind } from '../../model/key-specs.ts'
import type { BackingKeyKind } from '../hsm.ts'
import { mayReadPublicKey, spkiOf } from '../kinds/public-keys.ts'
import type { TokenFiles } from '../profiles/profile.ts'
import type { Log } from '../settings.ts'
import { CanaryProof, proveDerivedKey } from '../token/proofs.ts'
import { TokenError } from '../token/return-values.ts'
import type { TokenSession } from '../token/session.ts'
import {
  CANARY_LABEL,
  type FixedAttribute,
  ID_BYTES,
  LABEL_PREFIX,
  type ObjectName,
  withoutLength,
} from '../token/templates.ts'
import {
  checkObject,
  type MadeObject,
  makeObject,
  proveObject,
  type TokenKind,
  templateOf,
} from './backing-key.ts'
import { CANARY_ENTRY, type HandleLogWriter } from './handle-log.ts'
import {
  backingKeys,
  type FoundObject,
  findById,
  labelOf,
  ourObjects,
  refuse,
  summaryOf,
  tokenKeys,
  withId,
} from './object-search.ts'

/** The canary is not what it should be: nothing that the token says of absence is believed. */
export class CanaryError extends Error {
  override readonly name = 'CanaryError'
}

/** What object management works on. */
export interface ObjectsOptions extends TokenKind {
  readonly serialNumber: string
  /** Whether the token derives, as its canary has to prove then. */
  readonly derives: boolean
  readonly files: TokenFiles | undefined
  readonly handleLog: HandleLogWriter
  readonly log: Log
}

/** The objects of keyslot in the token. */
export class TokenObjects {
  readonly #openSession: () => TokenSession
  readonly #options: ObjectsOptions
  /** By id: what has been published. */
  readonly #published = new Map<string, FoundObject>()
  #canaryId: string | undefined

  constructor(openSession: () => TokenSession, options: ObjectsOptions) {
    this.#openSession = openSession
    this.#options = options
  }

  /** How many backing keys are published. */
  get size(): number {
    return this.#published.size
  }

  /** Whether a backing key that is used like this is published. */
  holds(suite: CipherSuite): boolean {
    return [...this.#published.values()].some((found) => found.suite === suite)
  }

  /** The canary's id, once there is one. */
  get canaryId(): string | undefined {
    return this.#canaryId
  }

  /**
   * Takes stock at the start: finds the canary, then publishes every backing key in one pass.
   *
   * @throws CanaryError when the installation has a canary and this token does not hold it.
   */
  takeStock(canaryId: string | undefined): void {
    this.#withSession((session) => {
      if (canaryId !== undefined) this.#adoptCanary(session, canaryId)
      for (const found of backingKeys(session, this.#options.log)) this.#publish(found)
    })
  }

  /**
   * Finds the canary afresh and uses it; where the token derives, derives too, which the canary
   * itself cannot.
   *
   * @throws CanaryError when it is not there or does not work, or the token does not derive.
   */
  proveCanary(): void {
    this.#withSession((session) => {
      this.#canarySings(session)
      if (!this.#options.derives) return
      try {
        proveDerivedKey(session)
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause)
        throw new CanaryError(`the token does not derive any more: ${reason}`, { cause })
      }
    })
  }

  /**
   * Makes the canary in a token that holds nothing of keyslot's. A canary that stands there alone
   * was made by a start that ended before the store knew of it: it is taken.
   *
   * @throws Error when the token holds backing keys.
   */
  createCanary(): string {
    if (this.#canaryId !== undefined) return this.#canaryId
    return this.#withSession((session) => {
      const labels = tokenKeys(session)
        .map((handle) => labelOf(session, handle))
        .filter((label) => label.startsWith(LABEL_PREFIX))
      if (labels.length > 1 || labels.some((label) => label !== CANARY_LABEL)) {
        throw new KmsError(
          'KMSInternalException',
          `The token holds ${labels.length} objects of an installation of keyslot that this` +
            ' store does not know.',
        )
      }
      const [only] = ourObjects(session, this.#options.log)
      const id = only?.id ?? this.#makeCanary(session)
      this.#adoptCanary(session, id)
      return id
    })
  }

  /**
   * Makes a backing key, reads it back, proves it, and publishes it.
   *
   * @returns the public half, of a pair.
   * @throws KmsError when the token made something else; the fresh object is destroyed then.
   */
  generate(input: { id: string; label: string } & BackingKeyKind): Buffer | undefined {
    return this.withCanary((session) => {
      if (this.#published.has(input.id)) refuse(`a backing key ${input.id} exists already`)
      if (!/^[ -~]*$/.test(input.label)) refuse('the label is not ASCII')
      const { label: said } = input
      const label = said.startsWith(LABEL_PREFIX) ? said : `${LABEL_PREFIX}${said}`
      const { id, suite } = input
      const { handle, publicKey } = this.#make(session, { ...input, label })
      this.#publish({ id, label, suite, handle })
      return publicKey
    })
  }

  /**
   * Whether a backing key is there, is as it has to be, and works. What a crash has left half made
   * is not; a token that does not work has no say.
   *
   * @throws CanaryError, and TokenError when the device is gone or derives no key at all.
   */
  proves(input: { id: string; publicKey?: Buffer; imported?: boolean } & BackingKeyKind): boolean {
    const first = this.#proof(input)
    // One failure may be the token's; two with the canary in order between them are the key's.
    const { found, failure } = first.failure === undefined ? first : this.#proof(input)
    if (found !== undefined) {
      this.#publish(found)
      return true
    }
    if (failure !== undefined) {
      // The canary says nothing of derived keys, of which another key's have to work then.
      if (input.suite === 1) this.#withSession(proveDerivedKey)
      const { id } = input
      this.#options.log('error', 'a backing key does not prove itself', { id, failure })
    }
    this.#unpublish(input.id)
    return false
  }

  /** Destroys a backing key and makes sure that it is gone. */
  destroy(id: string): void {
    this.withCanary((session) => {
      if (id === this.#canaryId) refuse('the canary is not destroyed')
      const handle = findById(session, id)
      // Before the object itself: from here on no worker begins to use it.
      this.#unpublish(id)
      if (handle === undefined) return
      const label = labelOf(session, handle)
      if (!label.startsWith(LABEL_PREFIX)) refuse(`the object ${id} is not keyslot's`)
      this.durably('object destroyed', () => session.destroyObject(handle))
      this.#withSession((fresh) => {
        this.#canarySings(fresh)
        if (findById(fresh, id) !== undefined) refuse(`the object ${id} is still there`)
      })
    })
  }

  /** All backing keys in the token as of now, the canary left out. */
  list(): readonly FoundObject[] {
    return this.withCanary((session) => {
      const found = backingKeys(session, this.#options.log)
      // Objects that could not be read are left out: that is only right of a token that reads.
      this.#canarySings(session)
      return found
    })
  }

  /** Looks for a backing key that a worker has no good handle of, and publishes what it finds. */
  findAgain(id: string): boolean {
    return this.withCanary((session) => {
      const handle = findById(session, id)
      this.#unpublish(id)
      const found = handle && summaryOf(session, handle, this.#options.log)
      if (found === undefined) {
        this.#canarySings(session)
        return false
      }
      this.#publish(found)
      return true
    })
  }

  /** Asks on a session of its own, once the canary has been found and used. */
  withCanary<T>(ask: (session: TokenSession) => T): T {
    return this.#withSession((session) => {
      this.#canarySings(session)
      return ask(session)
    })
  }

  /** Makes an object, and makes sure that it is durable. */
  durably<T>(change: 'object made' | 'object destroyed', make: () => T): T {
    const begun = this.#options.files?.beginChange(this.#options.serialNumber)
    const made = make()
    begun?.settle(change)
    return made
  }

  /**
   * Makes a backing key of imported material, reads it back, proves it, and publishes it. Whatever
   * has its id already is destroyed first: a crash has left it of the same material.
   *
   * @param unwrap makes the object by a template without a length.
   */
  importKey(
    input: { id: string; label: string } & BackingKeyKind,
    unwrap: (session: TokenSession, template: readonly FixedAttribute[]) => MadeObject,
  ): void {
    this.withCanary((session) => {
      if (input.id === this.#canaryId) refuse('the canary is not replaced')
      this.#unpublish(input.id)
      for (const left of session.find([withId(input.id)])) {
        this.durably('object destroyed', () => session.destroyObject(left))
      }
      const make = (name: ObjectName) => {
        const template = withoutLength(templateOf(name, input, this.#options))
        return unwrap(session, template)
      }
      const { handle } = this.#make(session, { ...input, imported: true }, make)
      const { id, label, suite } = input
      this.#publish({ id, label, suite, handle })
    })
  }

  /** The public half of a pair, as far as its private half tells. */
  publicKeyOf({ id, spec }: { id: string } & KeyKind): Buffer | undefined {
    return this.withCanary((session) => {
      const handle = findById(session, id)
      const publicKey = handle && mayReadPublicKey(session, handle, spec)
      return publicKey && spkiOf(publicKey)
    })
  }

  #proof(input: { id: string; publicKey?: Buffer; imported?: boolean } & BackingKeyKind): {
    found?: FoundObject
    failure?: string
  } {
    const { id, suite, publicKey } = input
    return this.withCanary((session) => {
      try {
        const handle = findById(session, id)
        if (handle === undefined) return {}
        const label = labelOf(session, handle)
        const name = { id: Buffer.from(id, 'hex'), label }
        checkObject(session, handle, name, input, this.#options)
        proveObject(session, handle, input, publicKey, this.#options)
        return { found: { id, label, suite, handle } }
      } catch (cause) {
        const isTheDevice = cause instanceof TokenError && cause.value.follows === 'restart process'
        if (isTheDevice || !(cause instanceof Error)) throw cause
        return { failure: cause.message }
      }
    })
  }

  #make(
    session: TokenSession,
    input: { id: string; label: string; imported?: boolean } & BackingKeyKind,
    make: (name: ObjectName) => MadeObject = (name) =>
      makeObject(session, name, input, this.#options),
  ): MadeObject {
    const name = { id: Buffer.from(input.id, 'hex'), label: input.label }
    if (name.id.length !== ID_BYTES) refuse(`the id ${input.id} is not 16 bytes long`)
    const change = this.#options.files?.beginChange(this.#options.serialNumber)
    const made = make(name)
    try {
      change?.settle('object made')
      checkObject(session, made.handle, name, input, this.#options)
      // A second session shows what others will see, not what this one remembers.
      this.#withSession((fresh) => {
        const found = findById(fresh, input.id)
        if (found === undefined) refuse(`the object ${input.id} is not found after it was made`)
        proveObject(fresh, found, input, made.publicKey, this.#options)
      })
    } catch (cause) {
      this.#discard(session, made.handle)
      throw cause
    }
    return made
  }

  #discard(session: TokenSession, handle: Handle): void {
    try {
      session.destroyObject(handle)
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      this.#options.log('error', 'an object that failed its proof could not be destroyed', {
        reason,
      })
    }
  }

  #makeCanary(session: TokenSession): string {
    const id = Buffer.alloc(ID_BYTES)
    session.fillRandom(id)
    // Suite 2, so that it can be asked whatever else the token is allowed to do.
    const made = { id: id.toString('hex'), label: CANARY_LABEL, suite: 2 } as const
    this.#make(session, made)
    return made.id
  }

  #adoptCanary(session: TokenSession, id: string): void {
    this.#canaryId = id
    const handle = this.#canarySings(session)
    this.#options.handleLog.publish(Buffer.from(CANARY_ENTRY, 'latin1'), handle)
  }

  #canarySings(session: TokenSession): Handle {
    const id = this.#canaryId
    if (id === undefined) throw new CanaryError('the token has no canary yet')
    try {
      const handle = findById(session, id)
      if (handle === undefined) {
        throw new CanaryError(
          'this token is not the one this store was made with, or it is not readable:' +
            ` it does not hold the canary ${id}`,
        )
      }
      if (session.read(handle, [pkcs11js.CKA_ID])[0]?.toString('hex') !== id) {
        throw new CanaryError(`the token reads the canary ${id} as something else`)
      }
      new CanaryProof(session, handle)
      return handle
    } catch (cause) {
      if (cause instanceof CanaryError) throw cause
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new CanaryError(`the canary ${id} does not work: ${reason}`, { cause })
    }
  }

  #publish(found: FoundObject): void {
    if (this.#published.get(found.id)?.handle.equals(found.handle)) return
    this.#published.set(found.id, found)
    this.#options.handleLog.publish(Buffer.from(found.id, 'hex'), found.handle)
  }

  #unpublish(id: string): void {
    if (!this.#published.delete(id)) return
    this.#options.handleLog.publish(Buffer.from(id, 'hex'))
  }

  #withSession<T>(use: (session: TokenSession) => T): T {
    const session = this.#openSession()
    try {
      return use(session)
    } finally {
      session.close()
    }
  }
}

/**
 * Derived keys of one session: the one that encrypts now for each backing key, and those that
 * decrypt, both bounded.
 */

import type { Handle } from 'pkcs11js'
import { NONCE_BYTES } from '../../model/ciphertext.ts'
import type { TokenSession } from './session.ts'

/** What bounds derived keys. */
export interface DerivedKeyLimits {
  /** Messages that one derived key encrypts. */
  readonly messagesMax: number
  /** How long one derived key encrypts, in milliseconds. */
  readonly ageMaxMs: number
  /** How many are kept at once. */
  readonly keptMax: number
}

/** A derived key that encrypts. */
export interface EncryptingKey {
  readonly handle: Handle
  readonly nonce: Buffer
}

interface Current extends EncryptingKey {
  readonly bornMs: number
  messages: number
}

/** The derived keys of a session; they die with it. */
export class DerivedKeys {
  readonly #session: TokenSession
  readonly #limits: DerivedKeyLimits
  readonly #nowMs: () => number
  /** By backing key id. */
  readonly #current = new Map<string, Current>()
  /** By backing key id and nonce, the least recently used first. */
  readonly #kept = new Map<string, Handle>()

  /** @param nowMs a clock that never goes back. */
  constructor(session: TokenSession, limits: DerivedKeyLimits, nowMs: () => number) {
    this.#session = session
    this.#limits = limits
    this.#nowMs = nowMs
  }

  /** How many derived keys are kept. */
  get size(): number {
    return this.#kept.size
  }

  /** The key for the next message under a backing key, which is counted. */
  forEncryption(backingKeyId: string, backingKey: Handle): EncryptingKey {
    const nowMs = this.#nowMs()
    let current = this.#current.get(backingKeyId)
    if (current !== undefined && this.#isSpent(current, nowMs)) {
      this.#current.delete(backingKeyId)
      current = undefined
    }
    if (current === undefined) {
      const nonce = Buffer.from(this.#session.publicRandom(NONCE_BYTES))
      const handle = this.#keep(keptName(backingKeyId, nonce), backingKey, nonce)
      current = { handle, nonce, bornMs: nowMs, messages: 0 }
      this.#current.set(backingKeyId, current)
    } else {
      this.#touch(keptName(backingKeyId, current.nonce), current.handle)
    }
    current.messages += 1
    return current
  }

  /** The key that decrypts what was encrypted with this nonce. */
  forDecryption(backingKeyId: string, backingKey: Handle, nonce: Buffer): Handle {
    const name = keptName(backingKeyId, nonce)
    const handle = this.#kept.get(name)
    if (handle === undefined) return this.#keep(name, backingKey, nonce)
    this.#touch(name, handle)
    return handle
  }

  /** Destroys what was derived from a backing key that is gone. */
  forget(backingKeyId: string): void {
    this.#current.delete(backingKeyId)
    for (const [name, handle] of this.#kept) {
      if (!name.startsWith(backingKeyId)) continue
      this.#kept.delete(name)
      this.#session.destroyObject(handle)
    }
  }

  #isSpent({ messages, bornMs }: Current, nowMs: number): boolean {
    return messages >= this.#limits.messagesMax || nowMs - bornMs >= this.#limits.ageMaxMs
  }

  #keep(name: string, backingKey: Handle, nonce: Buffer): Handle {
    const handle = this.#session.derive(backingKey, nonce)
    this.#kept.set(name, handle)
    if (this.#kept.size > this.#limits.keptMax) this.#evict()
    return handle
  }

  #touch(name: string, handle: Handle): void {
    this.#kept.delete(name)
    this.#kept.set(name, handle)
  }

  #evict(): void {
    for (const [name, handle] of this.#kept) {
      this.#kept.delete(name)
      const backingKeyId = name.slice(0, -NONCE_BYTES)
      if (this.#current.get(backingKeyId)?.handle === handle) this.#current.delete(backingKeyId)
      this.#session.destroyObject(handle)
      return
    }
  }
}

function keptName(backingKeyId: string, nonce: Buffer): string {
  return backingKeyId + nonce.toString('latin1')
}

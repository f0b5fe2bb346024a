/**
 * The session of a worker, which is replaced after anything unexpected, and what is believed of
 * its answers: the canary is asked before the caller is blamed.
 */

import type { Handle, PKCS11 } from 'pkcs11js'
import type { Profile } from '../profiles/profile.ts'
import type { DerivedKeyLimits } from '../token/derived-keys.ts'
import type { KindCapability } from '../token/mechanisms.ts'
import { CanaryProof } from '../token/proofs.ts'
import { TokenError } from '../token/return-values.ts'
import { TokenSession } from '../token/session.ts'
import { STATUS } from '../wire.ts'
import { CANARY_ENTRY, HandleLogReader } from './handle-log.ts'

/** What a worker is told of its token. */
export interface WorkerToken {
  readonly pkcs11: PKCS11
  readonly slotId: Handle
  readonly profile: Profile
  readonly handleLog: SharedArrayBuffer
  /** Whether the token derives; if not, suite 1 is refused. */
  readonly derives: boolean
  /** What the token can do for keys of other kinds. */
  readonly proved: readonly KindCapability[]
  readonly verifyEncryption: boolean
  readonly verifyDecryption: boolean
  readonly derivedKeyLimits: DerivedKeyLimits
  /** A clock that never goes back, in milliseconds; the process's own when absent. */
  readonly nowMs?: () => number
}

/** A call that ends with another status than `done`. */
export class StatusError extends Error {
  override readonly name = 'StatusError'
  readonly status: number

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.status = status
  }
}

/** The device is of no more use to this process. */
export class DeviceFaultError extends Error {
  override readonly name = 'DeviceFaultError'
}

/** What is to happen beside when a session or a handle is replaced. */
export interface Listeners {
  /** There is a new session: objects of the old one are gone. */
  readonly onRenew: (session: TokenSession) => void
  /** A backing key (CKA_ID as Latin-1 text) has no handle any more, or another one. */
  readonly onGone: (entry: string) => void
}

/** A session with the handles of backing keys and the canary. */
export class GuardedSession {
  readonly token: WorkerToken
  readonly #handles: HandleLogReader
  readonly #listeners: Listeners[] = []
  #session: TokenSession
  #canary: CanaryProof | undefined
  #canaryHandle: Handle | undefined

  constructor(token: WorkerToken) {
    this.token = token
    this.#session = TokenSession.open(token.pkcs11, token.slotId, token.profile)
    this.#handles = new HandleLogReader(token.handleLog, token.slotId.length, (entry) => {
      for (const { onGone } of this.#listeners) onGone(entry)
    })
  }

  /** The session as of now: not to be kept. */
  get session(): TokenSession {
    return this.#session
  }

  /** Tells of what is replaced from now on. */
  listen(listeners: Listeners): void {
    this.#listeners.push(listeners)
  }

  /**
   * The handle of a backing key by its CKA_ID as Latin-1 text.
   *
   * @throws StatusError keyNotFound.
   */
  handleOf(entry: string): Handle {
    const handle = this.#handles.find(entry)
    if (handle === undefined) throw new StatusError(STATUS.keyNotFound, 'no such backing key')
    return handle
  }

  /**
   * Asks the token, at most twice. What it says of a ciphertext is believed when the session that
   * said it decrypts the canary, and, of a return value that can mean anything, when it is said
   * twice. After anything else the second time is on a new session, which decrypts the canary.
   */
  safely<T>(ask: (session: TokenSession) => T, kind: 'decrypts' | 'other'): T {
    for (let attempt = 1; ; attempt++) {
      try {
        this.#canaryHere()
        return ask(this.#session)
      } catch (cause) {
        if (!(cause instanceof TokenError)) throw cause
        const { fault } = cause.value
        const isOfTheCiphertext = kind === 'decrypts' && this.#isOfTheCiphertext(cause)
        if (isOfTheCiphertext && (fault === 'caller' || attempt === 2)) {
          throw new StatusError(STATUS.invalidCiphertext, cause.message)
        }
        if (!isOfTheCiphertext) this.#renewAfter(cause)
        if (attempt === 2) {
          const status = fault === 'key' ? STATUS.keyNotFound : STATUS.deviceFault
          throw new StatusError(status, cause.message, { cause })
        }
      }
    }
  }

  /** Zeroes what was decrypted last. */
  wipe(): void {
    this.#session.wipe()
  }

  /** Closes the session. */
  close(): void {
    this.#session.close()
  }

  #isOfTheCiphertext({ call, value }: TokenError): boolean {
    // Other calls, such as the derivation before it, do not see the ciphertext.
    if (call !== 'C_Decrypt') return false
    if (value.fault !== 'caller' && value.fault !== 'ambiguous') return false
    const canary = this.#canary
    if (canary === undefined) return false
    try {
      canary.prove(this.#session)
      return true
    } catch {
      return false
    } finally {
      this.#session.wipe()
    }
  }

  /** Replaces the session and finds the canary in order, or gives the device up. */
  #renewAfter(cause: TokenError): void {
    this.#session.close()
    this.#canary = undefined
    if (cause.value.follows === 'restart process') {
      throw new DeviceFaultError(cause.message, { cause })
    }
    try {
      const { pkcs11, slotId, profile } = this.token
      this.#session = TokenSession.open(pkcs11, slotId, profile)
      for (const { onRenew } of this.#listeners) onRenew(this.#session)
      this.#canaryHere()
    } catch (why) {
      const reason = why instanceof Error ? why.message : String(why)
      throw new DeviceFaultError(`${cause.message}; then ${reason}`, { cause })
    }
  }

  #canaryHere(): CanaryProof {
    const handle = this.#handles.find(CANARY_ENTRY)
    if (handle === undefined) {
      throw new StatusError(STATUS.deviceFault, 'the token has no canary yet')
    }
    if (this.#canary === undefined || this.#canaryHandle !== handle) {
      try {
        this.#canary = new CanaryProof(this.#session, handle)
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause)
        throw new DeviceFaultError(`of the canary: ${reason}`, { cause })
      }
      this.#canaryHandle = handle
      this.#session.wipe()
    }
    return this.#canary
  }
}

/**
 * The verbs of a worker: encryption and decryption under derived or backing keys, synchronously,
 * on a session that is replaced after anything unexpected.
 */

import { timingSafeEqual } from 'node:crypto'
import type { Handle, PKCS11 } from 'pkcs11js'
import {
  type CiphertextHeader,
  COMMITMENT_BYTES,
  ciphertextDigest,
  packCiphertext,
  TAG_BYTES,
} from '../../model/ciphertext.ts'
import type { CipherSuite } from '../../model/key.ts'
import type { Profile } from '../profiles/profile.ts'
import { type DerivedKeyLimits, DerivedKeys } from '../token/derived-keys.ts'
import { CanaryProof } from '../token/proofs.ts'
import { TokenError } from '../token/return-values.ts'
import { type Sealed, TokenSession } from '../token/session.ts'
import { STATUS } from '../wire.ts'
import { CANARY_ENTRY, HandleLogReader } from './handle-log.ts'

/** Room for the longest plaintext and its commitment. */
const MESSAGE_BYTES = 8 * 1024
const NO_NONCE = Buffer.alloc(0)

/** What a worker is told of its token. */
export interface WorkerToken {
  readonly pkcs11: PKCS11
  readonly slotId: Handle
  readonly profile: Profile
  readonly handleLog: SharedArrayBuffer
  /** Whether the token derives; if not, suite 1 is refused. */
  readonly derives: boolean
  readonly verifyEncryption: boolean
  readonly verifyDecryption: boolean
  readonly derivedKeyLimits: DerivedKeyLimits
  /** A clock that never goes back, in milliseconds; the process's own when absent. */
  readonly nowMs?: () => number
}

/** A backing key as a call names it. */
export interface CalledKey {
  readonly suite: CipherSuite
  /** UUID, or 32 hex digits. */
  readonly keyId: string
  /** CKA_ID as 32 hex digits. */
  readonly backingKeyId: string
  /** CKA_ID as Latin-1 text. */
  readonly entry: string
  readonly account: string
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

/** The data verbs of one worker. What they hand out is a view, good until the next call. */
export class DataVerbs {
  readonly #token: WorkerToken
  readonly #handles: HandleLogReader
  readonly #message = Buffer.alloc(MESSAGE_BYTES)
  /** What was decrypted first, where it is decrypted twice. */
  readonly #twice = Buffer.alloc(MESSAGE_BYTES)
  #session: TokenSession
  #derivedKeys: DerivedKeys
  #canary: CanaryProof | undefined
  #canaryHandle: Handle | undefined

  constructor(token: WorkerToken) {
    this.#token = token
    this.#session = TokenSession.open(token.pkcs11, token.slotId, token.profile)
    this.#derivedKeys = this.#newDerivedKeys()
    this.#handles = new HandleLogReader(token.handleLog, token.slotId.length, (entry) =>
      this.#derivedKeys.forget(entry),
    )
  }

  /** Encrypts; answers the ciphertext blob. */
  encrypt(key: CalledKey, context: Buffer, plaintext: Buffer): Buffer {
    this.#message.set(plaintext, COMMITMENT_BYTES)
    try {
      return this.#encryptMessage(key, context, plaintext.length)
    } finally {
      this.#message.fill(0, 0, COMMITMENT_BYTES + plaintext.length)
    }
  }

  /** Decrypts; `wipe` has to follow. */
  decrypt(key: CalledKey, context: Buffer, nonce: Buffer, sealed: Sealed): Buffer {
    const decrypt = () => this.#decrypted(key, context, nonce, sealed)
    return this.#token.verifyDecryption ? this.#twiceTheSame(decrypt) : decrypt()
  }

  /** Decrypts and encrypts again. */
  reEncrypt(
    source: { key: CalledKey; context: Buffer; nonce: Buffer; sealed: Sealed },
    destination: { key: CalledKey; context: Buffer },
  ): Buffer {
    const { verifyEncryption, verifyDecryption } = this.#token
    const { key, context, nonce, sealed } = source
    const decrypt = () => this.#decrypted(key, context, nonce, sealed)
    try {
      // What is encrypted again outlives the ciphertext it came from.
      const isTwice = verifyEncryption || verifyDecryption
      const plaintext = isTwice ? this.#twiceTheSame(decrypt) : decrypt()
      return this.encrypt(destination.key, destination.context, plaintext)
    } finally {
      this.wipe()
    }
  }

  /** Makes a data key; `use` gets its plaintext, which is zeroed afterwards. */
  generateDataKey(
    key: CalledKey,
    context: Buffer,
    numberOfBytes: number,
    use: (plaintext: Buffer, blob: Buffer) => void,
  ): void {
    const plaintext = this.#message.subarray(COMMITMENT_BYTES, COMMITMENT_BYTES + numberOfBytes)
    try {
      this.#safely(() => this.#session.fillRandom(plaintext), 'other')
      use(plaintext, this.#encryptMessage(key, context, numberOfBytes))
    } finally {
      this.#message.fill(0, 0, COMMITMENT_BYTES + numberOfBytes)
    }
  }

  /** Fills a buffer with random bytes of the token. */
  generateRandom(buffer: Buffer): void {
    this.#safely(() => this.#session.fillRandom(buffer), 'other')
  }

  /** Zeroes what was decrypted last. */
  wipe(): void {
    this.#session.wipe()
  }

  /** Closes the session. */
  close(): void {
    this.#session.close()
  }

  /** Encrypts what stands in the message buffer behind the room for the commitment. */
  #encryptMessage(key: CalledKey, context: Buffer, plaintextBytes: number): Buffer {
    const message = this.#message.subarray(0, COMMITMENT_BYTES + plaintextBytes)
    const { suite, keyId, backingKeyId, account } = key
    return this.#safely(() => {
      const { handle, nonce } = this.#encryptingKey(key)
      const header: CiphertextHeader = { suite, keyId, backingKeyId, nonce }
      const digest = ciphertextDigest(header, { account, context })
      message.set(digest)
      const { iv, sealed } = this.#session.seal(handle, digest, message)
      if (this.#token.verifyEncryption) this.#verify(handle, digest, { iv, sealed }, message)
      return packCiphertext({ ...header, iv, sealed })
    }, 'other')
  }

  #verify(handle: Handle, digest: Buffer, sealed: Sealed, message: Buffer): void {
    try {
      if (timingSafeEqual(this.#session.open(handle, digest, sealed), message)) return
    } catch (cause) {
      // Lengths that differ are a wrong result too.
      if (cause instanceof TokenError) throw cause
    } finally {
      this.#session.wipe()
    }
    throw new DeviceFaultError('the token does not decrypt what it has just encrypted')
  }

  #twiceTheSame(decrypt: () => Buffer): Buffer {
    const twice = this.#twice
    try {
      const length = decrypt().copy(twice)
      const plaintext = decrypt()
      if (!timingSafeEqual(plaintext, twice.subarray(0, length))) {
        throw new DeviceFaultError('the token decrypts one ciphertext to two plaintexts')
      }
      return plaintext
    } finally {
      twice.fill(0)
    }
  }

  #decrypted(key: CalledKey, context: Buffer, nonce: Buffer, sealed: Sealed): Buffer {
    const { suite, keyId, backingKeyId, account } = key
    const digest = ciphertextDigest({ suite, keyId, backingKeyId, nonce }, { account, context })
    const opened = this.#opened(key, digest, nonce, sealed)
    if (isCommitted(opened, digest)) return opened.subarray(COMMITMENT_BYTES)
    if (isCommitted(this.#opened(key, digest, nonce, sealed), digest)) {
      throw new DeviceFaultError('the token decrypts one ciphertext to two plaintexts')
    }
    throw new StatusError(STATUS.invalidCiphertext, 'the commitment is another')
  }

  /** Commitment and plaintext. */
  #opened(key: CalledKey, digest: Buffer, nonce: Buffer, sealed: Sealed): Buffer {
    const opened = this.#safely(
      () => this.#session.open(this.#decryptingKey(key, nonce), digest, sealed),
      'decrypts',
    )
    if (opened.length !== sealed.sealed.length - TAG_BYTES) {
      throw new Error(`C_Decrypt made ${opened.length} bytes of ${sealed.sealed.length}`)
    }
    return opened
  }

  #encryptingKey(key: CalledKey): { handle: Handle; nonce: Buffer } {
    const backingKey = this.#backingKey(key)
    if (key.suite === 2) return { handle: backingKey, nonce: NO_NONCE }
    return this.#derivedKeys.forEncryption(key.entry, backingKey)
  }

  #decryptingKey(key: CalledKey, nonce: Buffer): Handle {
    const backingKey = this.#backingKey(key)
    if (key.suite === 2) return backingKey
    return this.#derivedKeys.forDecryption(key.entry, backingKey, nonce)
  }

  #backingKey({ suite, entry }: CalledKey): Handle {
    if (suite === 1 && !this.#token.derives) {
      throw new StatusError(STATUS.withdrawn, 'CKM_AES_CBC_ENCRYPT_DATA is withdrawn')
    }
    const handle = this.#handles.find(entry)
    if (handle === undefined) throw new StatusError(STATUS.keyNotFound, 'no such backing key')
    return handle
  }

  /**
   * Asks the token, at most twice. What it says of a ciphertext is believed when the session that
   * said it decrypts the canary, and, of a return value that can mean anything, when it is said
   * twice. After anything else the second time is on a new session, which decrypts the canary.
   */
  #safely<T>(ask: () => T, kind: 'decrypts' | 'other'): T {
    for (let attempt = 1; ; attempt++) {
      try {
        this.#canaryHere()
        return ask()
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
      const { pkcs11, slotId, profile } = this.#token
      this.#session = TokenSession.open(pkcs11, slotId, profile)
      this.#derivedKeys = this.#newDerivedKeys()
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

  #newDerivedKeys(): DerivedKeys {
    const { derivedKeyLimits, nowMs = () => performance.now() } = this.#token
    return new DerivedKeys(this.#session, derivedKeyLimits, nowMs)
  }
}

function isCommitted(opened: Buffer, digest: Buffer): boolean {
  return timingSafeEqual(opened.subarray(0, COMMITMENT_BYTES), digest)
}

/**
 * The verbs of a worker for symmetric encryption: under derived or backing keys, synchronously, on
 * a session that is replaced after anything unexpected.
 */

import { timingSafeEqual } from 'node:crypto'
import type { Handle } from 'pkcs11js'
import {
  COMMITMENT_BYTES,
  ciphertextDigest,
  packCiphertext,
  TAG_BYTES,
} from '../../model/ciphertext.ts'
import type { CipherSuite } from '../../model/key.ts'
import { DerivedKeys } from '../token/derived-keys.ts'
import { TokenError } from '../token/return-values.ts'
import type { Sealed } from '../token/session.ts'
import { STATUS } from '../wire.ts'
import { DeviceFaultError, type GuardedSession, StatusError } from './guarded-session.ts'

/** Room for the longest plaintext and its commitment. */
const MESSAGE_BYTES = 8 * 1024
const NO_NONCE = Buffer.alloc(0)

/** A backing key as a call names it. */
export interface CalledKey {
  readonly suite: CipherSuite
  /** With which its ciphertexts begin. */
  readonly head: Buffer
  /** CKA_ID as Latin-1 text. */
  readonly entry: string
  readonly account: string
}

/** The data verbs of one worker. What they hand out is a view, good until the next call. */
export class DataVerbs {
  readonly #guard: GuardedSession
  readonly #message = Buffer.alloc(MESSAGE_BYTES)
  /** What was decrypted first, where it is decrypted twice. */
  readonly #twice = Buffer.alloc(MESSAGE_BYTES)
  #derivedKeys: DerivedKeys

  constructor(guard: GuardedSession) {
    this.#guard = guard
    this.#derivedKeys = this.#newDerivedKeys()
    guard.listen({
      onRenew: () => {
        this.#derivedKeys = this.#newDerivedKeys()
      },
      onGone: (entry) => this.#derivedKeys.forget(entry),
    })
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
    return this.#guard.token.verifyDecryption ? this.#twiceTheSame(decrypt) : decrypt()
  }

  /** The same of what outlives the ciphertext it comes from, since it is encrypted again. */
  decryptToKeep(key: CalledKey, context: Buffer, nonce: Buffer, sealed: Sealed): Buffer {
    const { verifyEncryption, verifyDecryption } = this.#guard.token
    const decrypt = () => this.#decrypted(key, context, nonce, sealed)
    return verifyEncryption || verifyDecryption ? this.#twiceTheSame(decrypt) : decrypt()
  }

  /** Decrypts and encrypts again. */
  reEncrypt(
    source: { key: CalledKey; context: Buffer; nonce: Buffer; sealed: Sealed },
    destination: { key: CalledKey; context: Buffer },
  ): Buffer {
    const { key, context, nonce, sealed } = source
    try {
      const plaintext = this.decryptToKeep(key, context, nonce, sealed)
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
      this.#guard.safely(() => this.#guard.session.fillRandom(plaintext), 'other')
      use(plaintext, this.#encryptMessage(key, context, numberOfBytes))
    } finally {
      this.#message.fill(0, 0, COMMITMENT_BYTES + numberOfBytes)
    }
  }

  /** Fills a buffer with random bytes of the token. */
  generateRandom(buffer: Buffer): void {
    this.#guard.safely(() => this.#guard.session.fillRandom(buffer), 'other')
  }

  /** Zeroes what was decrypted last. */
  wipe(): void {
    this.#guard.wipe()
  }

  /** Encrypts what stands in the message buffer behind the room for the commitment. */
  #encryptMessage(key: CalledKey, context: Buffer, plaintextBytes: number): Buffer {
    const message = this.#message.subarray(0, COMMITMENT_BYTES + plaintextBytes)
    const { head, account } = key
    return this.#guard.safely(() => {
      const { handle, nonce } = this.#encryptingKey(key)
      const digest = ciphertextDigest(head, nonce, { account, context })
      message.set(digest)
      const { iv, sealed } = this.#guard.session.seal(handle, digest, message)
      if (this.#guard.token.verifyEncryption) this.#verify(handle, digest, { iv, sealed }, message)
      return packCiphertext(head, { nonce, iv, sealed })
    }, 'other')
  }

  #verify(handle: Handle, digest: Buffer, sealed: Sealed, message: Buffer): void {
    try {
      if (timingSafeEqual(this.#guard.session.open(handle, digest, sealed), message)) return
    } catch (cause) {
      // Lengths that differ are a wrong result too.
      if (cause instanceof TokenError) throw cause
    } finally {
      this.#guard.session.wipe()
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
    const digest = ciphertextDigest(key.head, nonce, { account: key.account, context })
    const opened = this.#opened(key, digest, nonce, sealed)
    if (isCommitted(opened, digest)) return opened.subarray(COMMITMENT_BYTES)
    if (isCommitted(this.#opened(key, digest, nonce, sealed), digest)) {
      throw new DeviceFaultError('the token decrypts one ciphertext to two plaintexts')
    }
    throw new StatusError(STATUS.invalidCiphertext, 'the commitment is another')
  }

  /** Commitment and plaintext. */
  #opened(key: CalledKey, digest: Buffer, nonce: Buffer, sealed: Sealed): Buffer {
    const opened = this.#guard.safely(
      () => this.#guard.session.open(this.#decryptingKey(key, nonce), digest, sealed),
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
    if (suite === 1 && !this.#guard.token.derives) {
      throw new StatusError(STATUS.withdrawn, 'CKM_AES_CBC_ENCRYPT_DATA is withdrawn')
    }
    return this.#guard.handleOf(entry)
  }

  #newDerivedKeys(): DerivedKeys {
    const { derivedKeyLimits, nowMs = () => performance.now() } = this.#guard.token
    return new DerivedKeys(this.#guard.session, derivedKeyLimits, nowMs)
  }
}

function isCommitted(opened: Buffer, digest: Buffer): boolean {
  return timingSafeEqual(opened.subarray(0, COMMITMENT_BYTES), digest)
}

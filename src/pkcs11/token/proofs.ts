/** Proofs that a key works, by using it. */

import { randomBytes } from 'node:crypto'
import type { Handle } from 'pkcs11js'
import { NONCE_BYTES } from '../../model/ciphertext.ts'
import type { CipherSuite } from '../../model/key.ts'
import type { TokenSession } from './session.ts'
import { proofKeyTemplate } from './templates.ts'

const AAD = Buffer.alloc(32, 'keyslot proof')
const KNOWN = Buffer.from('the canary sings')

/**
 * Encrypts and decrypts with a backing key as its suite wants it.
 *
 * @throws TokenError what the token answered; Error when it decrypts to something else.
 */
export function proveBackingKey(session: TokenSession, key: Handle, suite: CipherSuite): void {
  if (suite === 2) {
    proveRoundTrip(session, key, key)
    return
  }
  const nonce = randomBytes(NONCE_BYTES)
  const derived: Handle[] = []
  try {
    // Twice, so that a derivation which is not a function of the nonce is found out.
    derived.push(session.derive(key, nonce))
    derived.push(session.derive(key, nonce))
    const [one, other] = derived
    if (one === undefined || other === undefined) throw new Error('no derived key')
    proveRoundTrip(session, one, other)
  } finally {
    for (const handle of derived) session.destroyObject(handle)
  }
}

/**
 * Derives keys from a fresh one, uses and destroys them, as is done with every backing key of suite
 * 1, so that a token which does not is told from a backing key that is not usable.
 *
 * @throws TokenError what the token answered; Error when it decrypts to something else.
 */
export function proveDerivedKey(session: TokenSession): void {
  proveBackingKey(session, session.generateKey(proofKeyTemplate('derives')), 1)
}

/**
 * The canary in use on one session. Its ciphertext is made once and only decrypted from then on,
 * so that asking for it often does not wear out its key.
 */
export class CanaryProof {
  readonly #key: Handle
  readonly #iv: Buffer
  readonly #sealed: Buffer

  /** @throws TokenError when the token does not encrypt with the canary. */
  constructor(session: TokenSession, key: Handle) {
    const { iv, sealed } = session.seal(key, AAD, KNOWN)
    this.#key = key
    this.#iv = Buffer.from(iv)
    this.#sealed = Buffer.from(sealed)
    this.prove(session)
  }

  /**
   * Decrypts the canary's ciphertext on this session.
   *
   * @throws TokenError what the token answered; Error when it decrypts to something else.
   */
  prove(session: TokenSession): void {
    const opened = session.open(this.#key, AAD, { iv: this.#iv, sealed: this.#sealed })
    if (!opened.equals(KNOWN)) throw new Error('the token decrypts the canary to something else')
  }
}

function proveRoundTrip(session: TokenSession, encrypting: Handle, decrypting: Handle): void {
  const plaintext = randomBytes(32)
  const { iv, sealed } = session.seal(encrypting, AAD, plaintext)
  if (sealed.includes(plaintext)) throw new Error('the token answers the plaintext')
  const kept = { iv: Buffer.from(iv), sealed: Buffer.from(sealed) }
  if (!session.open(decrypting, AAD, kept).equals(plaintext)) {
    throw new Error('the token decrypts to something else')
  }
}

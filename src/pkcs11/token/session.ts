/** A session of the token and the calls that keyslot makes on it: all of them synchronous. */

import pkcs11js, { type Attribute, type Handle, type Mechanism, type PKCS11 } from 'pkcs11js'
import { NONCE_BYTES, TAG_BYTES } from '../../model/ciphertext.ts'
import type { Profile } from '../profiles/profile.ts'
import { tokenError } from './return-values.ts'
import { attributes, derivedKeyTemplate, type FixedAttribute } from './templates.ts'

/** Random bytes fetched at a time for IVs and nonces, which are no secrets. */
const RANDOM_AHEAD_BYTES = 1536
/** Room for the longest input and what a token adds. */
const SCRATCH_BYTES = 8 * 1024
/** The longest signature: RSA's with a modulus of 4096 bits. */
const SIGNATURE_BYTES = 512
const FIND_AT_ONCE = 1000

/** What came of an encryption: views that the next encryption on the session overwrites. */
export interface Sealed {
  readonly iv: Buffer
  /** Ciphertext and tag. */
  readonly sealed: Buffer
}

/**
 * A session. After a failure that is not expected it has to be closed: an operation may be left
 * active in it.
 */
export class TokenSession {
  readonly #pkcs11: PKCS11
  readonly #slotId: Handle
  readonly #profile: Profile
  readonly #handle: Handle
  readonly #derivedKey: Attribute[]
  readonly #iv: Buffer
  readonly #aad = Buffer.alloc(32)
  readonly #gcm
  readonly #derivation
  readonly #sealed = Buffer.alloc(SCRATCH_BYTES)
  readonly #opened = Buffer.alloc(SCRATCH_BYTES)
  readonly #signature = Buffer.alloc(SIGNATURE_BYTES)
  readonly #random = Buffer.alloc(RANDOM_AHEAD_BYTES)
  #randomAt = RANDOM_AHEAD_BYTES

  private constructor(pkcs11: PKCS11, slotId: Handle, profile: Profile) {
    this.#pkcs11 = pkcs11
    this.#slotId = slotId
    this.#profile = profile
    const flags = pkcs11js.CKF_SERIAL_SESSION | pkcs11js.CKF_RW_SESSION
    this.#handle = this.#ask('C_OpenSession', () => pkcs11.C_OpenSession(slotId, flags))
    this.#derivedKey = attributes(derivedKeyTemplate(profile))
    this.#iv = Buffer.alloc(profile.gcmIv.made === 'behind the tag' ? 0 : profile.gcmIv.bytes)
    this.#gcm = {
      mechanism: pkcs11js.CKM_AES_GCM,
      parameter: {
        // PKCS#11 v2.40's structure: some modules refuse the one of v2.30, others an ivBits of 0.
        type: pkcs11js.CK_PARAMS_AES_GCM_v240,
        iv: this.#iv,
        ivBits: 8 * this.#iv.length,
        aad: this.#aad,
        tagBits: 8 * TAG_BYTES,
      },
    }
    const data = Buffer.alloc(2 * (1 + NONCE_BYTES))
    this.#derivation = {
      mechanism: pkcs11js.CKM_AES_CBC_ENCRYPT_DATA,
      parameter: { type: pkcs11js.CK_PARAMS_AES_CBC, iv: Buffer.alloc(16), data },
    }
  }

  /** Opens a session. */
  static open(pkcs11: PKCS11, slotId: Handle, profile: Profile): TokenSession {
    return new TokenSession(pkcs11, slotId, profile)
  }

  /** Another session of the same token. */
  another(): TokenSession {
    return new TokenSession(this.#pkcs11, this.#slotId, this.#profile)
  }

  /** Closes the session, whatever state it is in; its session objects vanish. */
  close(): void {
    this.wipe()
    try {
      this.#pkcs11.C_CloseSession(this.#handle)
    } catch {
      // It was closed by the token, or the device is gone: there is nothing left to close.
    }
  }

  /** Fills a buffer with random bytes of the token. */
  fillRandom(buffer: Buffer): void {
    this.#ask('C_GenerateRandom', () => this.#pkcs11.C_GenerateRandom(this.#handle, buffer))
  }

  /** Random bytes of the token for what is no secret: IVs, nonces. A view, never used twice. */
  publicRandom(length: number): Buffer {
    if (this.#randomAt + length > this.#random.length) {
      this.fillRandom(this.#random)
      this.#randomAt = 0
    }
    const at = this.#randomAt
    this.#randomAt += length
    return this.#random.subarray(at, at + length)
  }

  /**
   * Derives the AES-256 key of a nonce: AES-CBC of `01‖N ‖ 02‖N` under the backing key with a
   * zero IV (CKM_AES_CBC_ENCRYPT_DATA, PKCS#11 v2.40 section 2.15).
   */
  derive(backingKey: Handle, nonce: Buffer): Handle {
    const { data } = this.#derivation.parameter
    data[0] = 1
    data.set(nonce, 1)
    data[1 + NONCE_BYTES] = 2
    data.set(nonce, 2 + NONCE_BYTES)
    return this.#ask('C_DeriveKey', () =>
      this.#pkcs11.C_DeriveKey(this.#handle, this.#derivation, backingKey, this.#derivedKey),
    )
  }

  /**
   * Encrypts with AES-GCM; the IV is made here or by the token.
   *
   * @param aad 32 bytes.
   * @param plaintext never empty: an empty one would leave the operation active.
   */
  seal(key: Handle, aad: Buffer, plaintext: Buffer): Sealed {
    refuseEmpty(plaintext)
    const { gcmIv } = this.#profile
    const iv = this.#iv
    if (gcmIv.made === 'by us') iv.set(this.publicRandom(gcmIv.bytes))
    else iv.fill(0)
    this.#aad.set(aad)
    const output = this.#ask('C_Encrypt', () => {
      this.#pkcs11.C_EncryptInit(this.#handle, this.#gcm, key)
      return this.#pkcs11.C_Encrypt(this.#handle, plaintext, this.#sealed)
    })
    const appended = gcmIv.made === 'behind the tag' ? gcmIv.bytes : 0
    const length = plaintext.length + TAG_BYTES
    if (output.length !== length + appended) {
      throw new Error(`C_Encrypt made ${output.length} bytes of ${plaintext.length}`)
    }
    return {
      iv: appended === 0 ? iv : output.subarray(length),
      sealed: output.subarray(0, length),
    }
  }

  /**
   * Decrypts with AES-GCM.
   *
   * @returns a view that the next decryption on the session overwrites, and `wipe` zeroes.
   */
  open(key: Handle, aad: Buffer, { iv, sealed }: Sealed): Buffer {
    refuseEmpty(sealed)
    this.#aad.set(aad)
    const { parameter } = this.#gcm
    parameter.iv = iv
    parameter.ivBits = 8 * iv.length
    try {
      return this.#ask('C_Decrypt', () => {
        this.#pkcs11.C_DecryptInit(this.#handle, this.#gcm, key)
        return this.#pkcs11.C_Decrypt(this.#handle, sealed, this.#opened)
      })
    } finally {
      parameter.iv = this.#iv
      parameter.ivBits = 8 * this.#iv.length
    }
  }

  /** Zeroes what `open` has handed out. */
  wipe(): void {
    this.#opened.fill(0)
  }

  /** Makes a secret key inside the token: one for AES unless a mechanism is named. */
  generateKey(
    template: readonly FixedAttribute[],
    mechanism: number = pkcs11js.CKM_AES_KEY_GEN,
  ): Handle {
    return this.#ask('C_GenerateKey', () =>
      this.#pkcs11.C_GenerateKey(this.#handle, { mechanism }, attributes(template)),
    )
  }

  /**
   * Signs, or makes a MAC.
   *
   * @param input never empty: an empty one would leave the operation active.
   * @returns a view that the next signature on the session overwrites.
   */
  sign(key: Handle, mechanism: Mechanism, input: Buffer): Buffer {
    refuseEmpty(input)
    return this.#ask('C_Sign', () => {
      this.#pkcs11.C_SignInit(this.#handle, mechanism, key)
      return this.#pkcs11.C_Sign(this.#handle, input, this.#signature)
    })
  }

  /** Makes an object of a known value: only session objects, for proofs. */
  createObject(template: readonly FixedAttribute[]): Handle {
    return this.#ask('C_CreateObject', () =>
      this.#pkcs11.C_CreateObject(this.#handle, attributes(template)),
    )
  }

  /** Makes a key pair inside the token. */
  generateKeyPair(
    mechanism: number,
    publicTemplate: readonly FixedAttribute[],
    privateTemplate: readonly FixedAttribute[],
  ): { readonly publicKey: Handle; readonly privateKey: Handle } {
    return this.#ask('C_GenerateKeyPair', () =>
      this.#pkcs11.C_GenerateKeyPair(
        this.#handle,
        { mechanism },
        attributes(publicTemplate),
        attributes(privateTemplate),
      ),
    )
  }

  /** Derives a key into an object of this template. */
  deriveKey(mechanism: Mechanism, base: Handle, template: readonly FixedAttribute[]): Handle {
    return this.#ask('C_DeriveKey', () =>
      this.#pkcs11.C_DeriveKey(this.#handle, mechanism, base, attributes(template)),
    )
  }

  /** Unwraps a key into an object of this template. */
  unwrapKey(
    mechanism: Mechanism,
    unwrappingKey: Handle,
    wrapped: Buffer,
    template: readonly FixedAttribute[],
  ): Handle {
    refuseEmpty(wrapped)
    return this.#ask('C_UnwrapKey', () =>
      this.#pkcs11.C_UnwrapKey(
        this.#handle,
        mechanism,
        unwrappingKey,
        wrapped,
        attributes(template),
      ),
    )
  }

  /** Encrypts whole blocks, or decrypts one, in a single part; the caller zeroes what comes out. */
  transform(how: 'encrypt' | 'decrypt', mechanism: Mechanism, key: Handle, input: Buffer): Buffer {
    refuseEmpty(input)
    const output = Buffer.alloc(input.length)
    if (how === 'encrypt') {
      return this.#ask('C_Encrypt', () => {
        this.#pkcs11.C_EncryptInit(this.#handle, mechanism, key)
        return this.#pkcs11.C_Encrypt(this.#handle, input, output)
      })
    }
    return this.#ask('C_Decrypt', () => {
      this.#pkcs11.C_DecryptInit(this.#handle, mechanism, key)
      return this.#pkcs11.C_Decrypt(this.#handle, input, output)
    })
  }

  /** Destroys an object. */
  destroyObject(object: Handle): void {
    this.#ask('C_DestroyObject', () => this.#pkcs11.C_DestroyObject(this.#handle, object))
  }

  /** All objects that match, without any order. */
  find(template: readonly Attribute[]): readonly Handle[] {
    const handles: Handle[] = []
    this.#ask('C_FindObjects', () => {
      this.#pkcs11.C_FindObjectsInit(this.#handle, [...template])
      try {
        for (;;) {
          const some = this.#pkcs11.C_FindObjects(this.#handle, FIND_AT_ONCE)
          handles.push(...some)
          if (some.length === 0) break
        }
      } finally {
        this.#pkcs11.C_FindObjectsFinal(this.#handle)
      }
    })
    return handles
  }

  /** Reads attributes of an object, in the order asked for; no other copy of their values is left. */
  read(object: Handle, types: readonly number[]): readonly Buffer[] {
    const asking = types.map((type) => ({ type }))
    const answer = this.#ask('C_GetAttributeValue', () =>
      this.#pkcs11.C_GetAttributeValue(this.#handle, object, asking),
    )
    return types.map((_, at) => ownBytes(answer[at]?.value))
  }

  #ask<T>(call: string, ask: () => T): T {
    try {
      return ask()
    } catch (cause) {
      throw tokenError(call, cause)
    }
  }
}

function ownBytes(value: unknown): Buffer {
  if (!(value instanceof Uint8Array)) return Buffer.alloc(0)
  const own = Buffer.alloc(value.length)
  own.set(value)
  value.fill(0)
  return own
}

function refuseEmpty(input: Buffer): void {
  if (input.length === 0) throw new Error('an empty buffer for the token')
}

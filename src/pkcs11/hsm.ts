/**
 * The HSM as the other rooms see it: verbs, never mechanisms. No template, mechanism, nonce or
 * IV comes from outside this room.
 *
 * Every call may fail with KMSInternalException (gRPC UNAVAILABLE: the HSM process is down or the
 * device failed; retry), DependencyTimeoutException (the token did not answer in time: not by the
 * caller's deadline, or not at all) or RequestAbortedException (the caller's deadline passed, or it cancelled, before the token was
 * asked).
 */

import type { ToSign } from '../model/asymmetric/schemes.ts'
import type { Authorised } from '../model/authorised.ts'
import type { Ciphertext } from '../model/ciphertext.ts'
import type { CipherSuite, Key } from '../model/key.ts'
import type {
  KeyKind,
  KeySpec,
  MacAlgorithm,
  OaepAlgorithm,
  SigningAlgorithm,
} from '../model/key-specs.ts'
import type { HsmImports } from './import/hsm-imports.ts'

/** What bounds a call. */
export interface CallLimits {
  /** When the caller stops waiting, in milliseconds since the epoch by the machine's own clock. */
  readonly deadlineMs?: number
  /** Says whether the caller has gone: asked just before the token is. */
  readonly signal?: Pick<AbortSignal, 'aborted'>
}

/** Something to encrypt, and what it is bound to. */
export interface PlaintextInput {
  /** 1 to 4096 bytes. */
  readonly plaintext: Buffer
  /** The canonical encryption context. */
  readonly context: Buffer
}

/** A ciphertext taken apart, and what it is bound to. */
export interface CiphertextInput {
  /** Its header names one of the key's backing keys. */
  readonly ciphertext: Ciphertext
  /** The canonical encryption context. */
  readonly context: Buffer
}

/** A data key. */
export interface DataKey {
  readonly plaintext: Buffer
  readonly ciphertextBlob: Buffer
}

/** A ciphertext that was made with the public half of a pair. */
export interface OaepInput {
  readonly algorithm: OaepAlgorithm
  readonly ciphertextBlob: Buffer
}

/** A key pair for use outside. */
export interface DataKeyPair {
  /** PKCS #8 in DER. */
  readonly privateKeyPlaintext: Buffer
  readonly privateKeyCiphertextBlob: Buffer
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKey: Buffer
}

/** What operations may ask of the HSM: the use of keys that the caller is authorised for. */
export interface Hsm {
  /** Encrypts under the key's current backing key; answers the ciphertext blob. */
  encrypt(key: Authorised<Key>, input: PlaintextInput, limits: CallLimits): Promise<Buffer>
  /**
   * Decrypts.
   *
   * @throws KmsError InvalidCiphertextException when the ciphertext or its context is not
   *   authentic; KeyUnavailableException when the backing key cannot be found in the token.
   */
  decrypt(key: Authorised<Key>, input: CiphertextInput, limits: CallLimits): Promise<Buffer>
  /** Decrypts and encrypts again without the plaintext leaving the HSM process. */
  reEncrypt(
    source: { readonly key: Authorised<Key> } & CiphertextInput,
    destination: { readonly key: Authorised<Key>; readonly context: Buffer },
    limits: CallLimits,
  ): Promise<Buffer>
  /** Makes a data key of 1 to 1024 bytes. */
  generateDataKey(
    key: Authorised<Key>,
    input: { readonly numberOfBytes: number; readonly context: Buffer },
    limits: CallLimits,
  ): Promise<DataKey>
  /** Makes a data key of 1 to 1024 bytes, whose plaintext stays inside the HSM process. */
  generateDataKeyWithoutPlaintext(
    key: Authorised<Key>,
    input: { readonly numberOfBytes: number; readonly context: Buffer },
    limits: CallLimits,
  ): Promise<Buffer>
  /**
   * Signs, and verifies the signature with the public key before it answers.
   *
   * @returns the signature as AWS has it: DER for ECDSA.
   * @throws KmsError UnsupportedOperationException when the token lacks the algorithm.
   */
  sign(
    key: Authorised<Key>,
    input: { readonly algorithm: SigningAlgorithm } & ToSign,
    limits: CallLimits,
  ): Promise<Buffer>
  /**
   * Makes the MAC of 1 to 4096 bytes.
   *
   * @throws KmsError UnsupportedOperationException when the token lacks the algorithm.
   */
  mac(
    key: Authorised<Key>,
    input: { readonly algorithm: MacAlgorithm; readonly message: Buffer },
    limits: CallLimits,
  ): Promise<Buffer>
  /**
   * Decrypts by RSAES-OAEP.
   *
   * @throws KmsError InvalidCiphertextException, the same for whatever is wrong.
   */
  decryptAsymmetric(key: Authorised<Key>, input: OaepInput, limits: CallLimits): Promise<Buffer>
  /** Decrypts and encrypts again, from or to a pair, inside the HSM process. */
  reEncryptAsymmetric(
    source: { readonly key: Authorised<Key> } & (OaepInput | CiphertextInput),
    destination: { readonly key: Authorised<Key> } & (
      | { readonly algorithm: OaepAlgorithm }
      | { readonly context: Buffer }
    ),
    limits: CallLimits,
  ): Promise<Buffer>
  /**
   * Agrees on a secret by ECDH.
   *
   * @param point the other's public key, uncompressed, known to be on the key's curve.
   */
  deriveSharedSecret(key: Authorised<Key>, point: Buffer, limits: CallLimits): Promise<Buffer>
  /** Makes a key pair for use outside, its private half encrypted under the key as well. */
  generateDataKeyPair(
    key: Authorised<Key>,
    input: { readonly spec: KeySpec; readonly context: Buffer },
    limits: CallLimits,
  ): Promise<DataKeyPair>
  /** The same, with a private half that stays inside the HSM process. */
  generateDataKeyPairWithoutPlaintext(
    key: Authorised<Key>,
    input: { readonly spec: KeySpec; readonly context: Buffer },
    limits: CallLimits,
  ): Promise<Omit<DataKeyPair, 'privateKeyPlaintext'>>
  /** Makes 1 to 1024 random bytes. */
  generateRandom(numberOfBytes: number, limits: CallLimits): Promise<Buffer>
}

/** What a backing key is made as: for a suite of the symmetric ciphertext, or for a kind of key. */
export type BackingKeyKind =
  | { readonly suite: CipherSuite }
  | (KeyKind & { readonly suite?: undefined })

/** A backing key found in the token. */
export interface FoundBackingKey {
  /** CKA_ID as 32 hex digits. */
  readonly id: string
  /** Of symmetric encryption keys. */
  readonly suite?: CipherSuite
}

/**
 * What `lifecycle` may ask of the HSM: the making and destroying of objects. All of these go
 * through one lock, and none of them says "not there" before the canary has been found and used.
 */
export interface HsmObjects extends HsmImports {
  /** How new symmetric backing keys are used on this token. */
  suite(): Promise<CipherSuite>
  /** Why this token makes no keys of a kind; `undefined` when it does. */
  lacks(kind: KeyKind): Promise<string | undefined>
  /**
   * Makes a backing key with this CKA_ID (16 random bytes as 32 hex digits), reads its attributes
   * back and proves it by a round trip.
   *
   * @param label what people see in a token browser: key id and number, ASCII.
   * @returns of a pair its public half, as SubjectPublicKeyInfo in DER. The token does not keep it.
   */
  generateBackingKey(
    input: { readonly id: string; readonly label: string } & BackingKeyKind,
  ): Promise<Buffer | undefined>
  /**
   * Whether a usable backing key with this id is in the token; proves it by a round trip.
   *
   * @param input.imported whether it was imported: only others were made inside the token.
   * @param input.publicKey without it a pair does not prove itself, as nothing tells that it is
   *   the one that was meant.
   */
  provesBackingKey(
    input: {
      readonly id: string
      readonly publicKey?: Buffer
      readonly imported?: boolean
    } & BackingKeyKind,
  ): Promise<boolean>
  /**
   * The public half of a pair, as SubjectPublicKeyInfo in DER, as far as its private half tells:
   * RSA's does, others' only in some tokens.
   */
  publicKeyOf(input: { readonly id: string } & KeyKind): Promise<Buffer | undefined>
  /** Destroys a backing key and makes sure that it is gone; content when it is gone already. */
  destroyBackingKey(id: string): Promise<void>
  /** All backing keys of keyslot in the token, the canary left out. */
  listBackingKeys(): Promise<readonly FoundBackingKey[]>
  /**
   * Makes the canary, in a token that holds nothing of keyslot's.
   *
   * @returns the canary's id as 32 hex digits, which the store keeps to know its token again.
   */
  createCanary(): Promise<string>
}

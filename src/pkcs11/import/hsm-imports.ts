/**
 * Imported key material as `lifecycle` asks the HSM for it. What is imported is never in the
 * memory of a door: it arrives wrapped, and is unwrapped inside the token or, where the token
 * leaves no other way, in the HSM process.
 */

import type { WrappingAlgorithm, WrappingKeySpec } from '../../model/import/wrapping.ts'
import type { CipherSuite } from '../../model/key.ts'
import type { KeyKind } from '../../model/key-specs.ts'

/** Key material on its way, and what it is to be. */
export interface WrappedMaterial extends KeyKind {
  /** CKA_ID of the wrapping key, as 32 hex digits. */
  readonly wrappingKeyId: string
  readonly algorithm: WrappingAlgorithm
  readonly encryptedKeyMaterial: Buffer
}

/** What `lifecycle` may ask of the HSM for imports; all of it goes through the object lock. */
export interface HsmImports {
  /**
   * Makes a wrapping key of this CKA_ID, and proves that it unwraps by its algorithm.
   *
   * @returns its public half: a DER SubjectPublicKeyInfo.
   * @throws KmsError UnsupportedOperationException if the token has no way to unwrap so.
   */
  makeWrappingKey(input: {
    readonly id: string
    readonly keyId: string
    readonly spec: WrappingKeySpec
    readonly algorithm: WrappingAlgorithm
    /** What is to be unwrapped. */
    readonly kind: KeyKind
  }): Promise<Buffer>
  /** Destroys a wrapping key and makes sure that it is gone; content when it is gone already. */
  destroyWrappingKey(id: string): Promise<void>
  /** The ids of all wrapping keys in the token. */
  listWrappingKeys(): Promise<readonly string[]>
  /**
   * Unwraps key material into an object that does not stay, and says which material it is.
   *
   * @returns the check value: a function of the material alone, made by the token with the
   *   material as the key, never a hash of it, or of a pair its public half; as hex digits.
   * @throws KmsError InvalidCiphertextException, the same for whatever is wrong with what was
   *   sent, if it cannot be unwrapped; IncorrectKeyMaterialException if it is no key of the spec;
   *   KeyUnavailableException if the wrapping key is not in the token.
   */
  checkMaterial(material: WrappedMaterial): Promise<string>
  /**
   * Unwraps key material into a backing key of this CKA_ID, reads its attributes back and proves
   * it by a round trip. What a crash has left under the same id is replaced.
   *
   * @param input.checkValue what `checkMaterial` has said: no other material becomes the key.
   * @returns of a pair its public half, as SubjectPublicKeyInfo in DER.
   * @throws KmsError as `checkMaterial` does.
   */
  importBackingKey(
    input: WrappedMaterial & {
      readonly id: string
      readonly label: string
      /** Of symmetric encryption keys. */
      readonly suite?: CipherSuite
      readonly checkValue: string
    },
  ): Promise<Buffer | undefined>
}

/** The verbs of imports on the management pipe: what each takes and answers. Bytes are base64. */
export interface ImportVerbs {
  makeWrappingKey: {
    readonly takes: Parameters<HsmImports['makeWrappingKey']>[0]
    readonly answers: string
  }
  destroyWrappingKey: { readonly takes: string; readonly answers: null }
  listWrappingKeys: { readonly takes: null; readonly answers: readonly string[] }
  checkMaterial: { readonly takes: SentMaterial; readonly answers: string }
  importBackingKey: {
    readonly takes: SentMaterial & {
      readonly id: string
      readonly label: string
      readonly suite?: CipherSuite
      readonly checkValue: string
    }
    readonly answers: string | null
  }
}

/** Wrapped material as it is on the pipe. */
export type SentMaterial = Omit<WrappedMaterial, 'encryptedKeyMaterial'> & {
  readonly encryptedKeyMaterial: string
}

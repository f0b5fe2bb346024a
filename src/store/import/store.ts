/** Imported key material in the store, as `lifecycle` sees it. */

import type { WrappingAlgorithm, WrappingKeySpec } from '../../model/import/wrapping.ts'
import type { ImportedMaterial, Key } from '../../model/key.ts'
import type { Intent } from '../intent.ts'

/** A key pair of the token that material of one key is wrapped under. */
export interface WrappingKey {
  /** CKA_ID as 32 hex digits. */
  readonly id: string
  /** The key whose material it is for. */
  readonly keyId: string
  readonly algorithm: WrappingAlgorithm
  readonly spec: WrappingKeySpec
  /** SHA-256 of the import token, as 64 hex digits. */
  readonly tokenDigest: string
  /** Milliseconds since the epoch. */
  readonly createdMs: number
  /** When it expires, in milliseconds since the epoch. */
  readonly validToMs: number
  /** How often something was presented that it does not unwrap. */
  readonly failures: number
  /** Whether an import has used it up. */
  readonly isUsed: boolean
  /** Whether it is not in the token any more. */
  readonly isDestroyed: boolean
}

/** Imports and removals of material; only `lifecycle` uses these. */
export interface ImportStore {
  /**
   * Records a wrapping key before it is made.
   *
   * @param most how many the key may have in the token, spent ones left out, this one included.
   * @returns `full` if there are `most`.
   */
  addWrappingKey(
    wrappingKey: Omit<WrappingKey, 'failures' | 'isUsed' | 'isDestroyed'>,
    most: number,
  ): Promise<'added' | 'full'>
  /** The wrapping key by its id, whether it is still good or not. */
  findWrappingKey(id: string): Promise<WrappingKey | undefined>
  /** Counts something that a wrapping key does not unwrap. */
  countFailure(wrappingKeyId: string): Promise<void>
  /**
   * Wrapping keys in the token that are of no more use: used, expired, or with `failuresMax`
   * failures; oldest first. None while an import with it is under way.
   */
  spentWrappingKeys(nowMs: number, failuresMax: number, limit: number): Promise<readonly string[]>
  /** Records that a wrapping key is not in the token any more. */
  wrappingKeyDestroyed(id: string, nowMs: number): Promise<void>
  /** Forgets wrapping keys that are destroyed and expired before a moment. */
  forgetWrappingKeys(beforeMs: number): Promise<void>
  /**
   * Records the intent to import: material that the key has and that is not in the token, or new
   * material with the next number, while none waits for a rotation.
   *
   * @returns false if it is not so, the wrapping key is used, or another change is under way.
   */
  beginImport(intent: Intent & { kind: 'import' }): Promise<boolean>
  /**
   * Imports material again that is in the token: only what its owner decides of it changes.
   *
   * @returns the key, or `undefined` if the material is not there, the wrapping key is used, or
   *   another change is under way.
   */
  renew(renewal: Renewal): Promise<Key | undefined>
  /**
   * Makes the material that waits for its rotation current.
   *
   * @returns the key, or `undefined` if it is not Enabled, nothing waits, or another change is
   *   under way.
   */
  rotate(keyId: string, nowMs: number): Promise<Key | undefined>
  /**
   * Takes material out of use, and records the intent to destroy its object: a key that had it for
   * good waits for its import from now on, unless it is PendingDeletion.
   *
   * @returns false if the material is not there, or another change is under way.
   */
  beginRemoval(intent: Intent & { kind: 'remove' }): Promise<boolean>
  /** Ends a removal. Content if it has ended already. */
  finishRemoval(intentId: string, nowMs: number): Promise<void>
  /** Keys with material that has expired and is in the token; those with a change under way left out. */
  dueForExpiry(nowMs: number, limit: number): Promise<readonly Key[]>
}

/** An import of material that is in the token already. */
export interface Renewal {
  readonly keyId: string
  readonly backingKeyId: string
  readonly wrappingKeyId: string
  readonly imported: ImportedMaterial
  readonly nowMs: number
}

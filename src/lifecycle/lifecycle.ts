/**
 * Changes that span token and store, as operations see them. Each is safe at every crash point:
 * the intent is on record before the token is touched, and `reconcile` finishes or undoes what a
 * crash left behind.
 */

import type { Place } from '../model/arn.ts'
import type { Authorised } from '../model/authorised.ts'
import type { Key, RotationType, Tag } from '../model/key.ts'
import type { KeySpec, KeyUsage } from '../model/key-specs.ts'

/** What a new key is to be. */
export interface KeyTemplate {
  readonly place: Place
  readonly description: string
  readonly spec: KeySpec
  readonly usage: KeyUsage
  readonly tags: readonly Tag[]
}

/** The changes. */
export interface Lifecycle {
  /** Makes a customer managed key with material of the token's own. */
  createKey(template: KeyTemplate): Promise<Key>
  /**
   * Adds a backing key and makes it current.
   *
   * @throws KmsError ConflictException while another change of the key is under way;
   *   LimitExceededException after 25 rotations on demand.
   */
  rotateKey(key: Authorised<Key>, type: RotationType): Promise<Key>
  /** Destroys a key that is PendingDeletion and whose window has ended; else does nothing. */
  destroyKey(key: Authorised<Key>): Promise<void>
  /**
   * Counts one message against the key's current backing key where the backing key itself
   * encrypts (suite 2), and rotates before its limit of 2^31 messages; costs nothing in suite 1.
   *
   * @returns the key to encrypt with: rotated, perhaps.
   */
  spendMessage(key: Authorised<Key>): Promise<Authorised<Key>> | Authorised<Key>
}

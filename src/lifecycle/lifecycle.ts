/**
 * Changes that span token and store, as operations see them. Each is safe at every crash point:
 * the intent is on record before the token is touched, and `reconcile` finishes or undoes what a
 * crash left behind.
 */

import type { Authorised } from '../model/authorised.ts'
import type { WrappingAlgorithm, WrappingKeySpec } from '../model/import/wrapping.ts'
import type { BackingKey, Key, RotationType } from '../model/key.ts'
import type { Services } from './change.ts'
import { createKey, type KeyInput } from './create.ts'
import { destroyKey } from './destroy.ts'
import { type ImportInput, importMaterial } from './import/import.ts'
import { expireMaterial, removeMaterial } from './import/remove.ts'
import { type ImportParameters, prepareImport } from './import/wrapping-keys.ts'
import { messageBudget } from './message-budget.ts'
import { rotateKey } from './rotate.ts'

/** The changes. */
export interface Lifecycle {
  /** Makes a key; see `createKey` for its failures. */
  createKey(input: KeyInput): Promise<Key>
  /**
   * Adds a backing key and makes it current.
   *
   * @throws KmsError ConflictException while another change of the key is under way;
   *   LimitExceededException after 25 rotations on demand.
   */
  rotateKey(key: Authorised<Key>, type: RotationType): Promise<Key>
  /** Makes a wrapping key and a token for an import; see `prepareImport` for its failures. */
  prepareImport(
    key: Authorised<Key>,
    how: { readonly algorithm: WrappingAlgorithm; readonly spec: WrappingKeySpec },
  ): Promise<ImportParameters>
  /**
   * Imports key material; see `importMaterial` for its failures.
   *
   * @returns which material it was: AWS's KeyMaterialId.
   */
  importMaterial(key: Authorised<Key>, input: ImportInput): Promise<string>
  /**
   * Removes imported material, which is out of use from the moment when this begins.
   *
   * @throws KmsError ConflictException while another change of the key is under way.
   */
  removeMaterial(key: Authorised<Key>, material: BackingKey): Promise<void>
  /** Removes the imported material of a key that has expired. */
  expireMaterial(key: Authorised<Key>): Promise<void>
  /**
   * Destroys a key that is PendingDeletion and whose window has ended.
   *
   * @returns false if it is not, or another change is under way.
   */
  destroyKey(key: Authorised<Key>): Promise<boolean>
  /**
   * Counts one message against the key's current backing key where the backing key itself
   * encrypts (suite 2), and rotates before its limit of 2^31 messages; costs nothing in suite 1.
   *
   * @returns the key to encrypt with: rotated, perhaps.
   */
  spendMessage(key: Authorised<Key>): Promise<Authorised<Key>> | Authorised<Key>
}

/** The changes over a store and a token. */
export function createLifecycle(services: Services): Lifecycle {
  const budget = messageBudget(services)
  return {
    createKey: (input) => createKey(services, input),
    rotateKey: (key, type) => rotateKey(services, key, type),
    prepareImport: (key, how) => prepareImport(services, key, how),
    importMaterial: async (key, input) => (await importMaterial(services, key, input)).materialId,
    removeMaterial: (key, material) => removeMaterial(services, key, material),
    expireMaterial: (key) => expireMaterial(services, key),
    destroyKey: (key) => destroyKey(services, key),
    spendMessage: (key) => budget.spend(key),
  }
}

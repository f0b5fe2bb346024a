/**
 * The metadata store as the other rooms see it. What it holds is in `migrations/`; how it reads
 * and writes, in the file of each noun. The seam between databases is the driver.
 *
 * Reads of keys, aliases and grants come from compiled copies in memory, which every change, by this
 * process or another, invalidates before it is acknowledged. A change is durable when its
 * promise resolves.
 */

import type { Place } from '../model/arn.ts'
import type { Alias, Key, KeyPolicy, KeyState, RotationSchedule, Tag } from '../model/key.ts'
import type { KeyKind } from '../model/key-specs.ts'
import type { GrantStore } from './grants/store.ts'
import type { IdentityStore } from './identities/store.ts'
import type { ImportStore } from './import/store.ts'
import type { Intent } from './intent.ts'
import type { PageRequest } from './page.ts'
import type { LastUseStore } from './usage/last-uses.ts'

/** What can change in a key without touching the token. */
export interface KeyChange {
  readonly description?: string
  /** `Disabled` is `PendingImport` where imported material is missing by then. */
  readonly state?: KeyState
  /** `null` clears it. */
  readonly deletionMs?: number | null
  /** `null` switches automatic rotation off. */
  readonly rotation?: RotationSchedule | null
  readonly policy?: KeyPolicy
}

/** A key about to be made: its backing keys come when its material is proved. */
export type NewKey = Omit<Key, 'backingKeys' | 'pendingRotation' | 'state' | 'arn'>

/** The keys. */
export interface KeyStore {
  /** The copy of a key in memory, if there is one, as new as the store's last `refresh`. */
  known(keyId: string): Key | undefined
  /** The key by its id, in whatever state but `Creating` or destroyed. */
  find(keyId: string): Promise<Key | undefined>
  /** Keys of an account and Region by key id, keys being made or destroyed left out. */
  list(place: Place, page: PageRequest): Promise<readonly Key[]>
  /** What a key is, or was: those being made and those destroyed included. */
  kindOf(keyId: string): Promise<KeyKind | undefined>
  /** How many keys the account has in the Region, keys being made or destroyed included. */
  count(place: Place): Promise<number>
  /**
   * Applies a change if the key's state is still `from` and its destruction has not begun.
   *
   * @returns the key as changed, or `undefined` if it was not so: nothing is changed then.
   */
  change(keyId: string, from: KeyState, change: KeyChange): Promise<Key | undefined>
  /** Enabled keys whose rotation is due, oldest first; those with a change under way left out. */
  dueForRotation(nowMs: number, limit: number): Promise<readonly Key[]>
  /** Keys whose window has ended, oldest first; those with a change under way left out. */
  dueForDeletion(nowMs: number, limit: number): Promise<readonly Key[]>
}

/** The aliases. */
export interface AliasStore {
  find(place: Place, name: string): Promise<Alias | undefined>
  /** Aliases of an account and Region, or of one key, by name. */
  list(place: Place & { readonly keyId?: string }, page: PageRequest): Promise<readonly Alias[]>
  /**
   * @param most how many aliases the target may have.
   * @returns `exists` if there is one of this name already, `full` if the target has `most`.
   * @throws KmsError NotFoundException if the target is not there, or is being destroyed.
   */
  insert(alias: Alias, most: number): Promise<'inserted' | 'exists' | 'full'>
  /**
   * Moves an alias from the key that it is known to point to.
   *
   * @returns `gone` if there is none of this name or it points to another key by now, `full` if
   *   the new target has `most` aliases.
   * @throws KmsError NotFoundException if the new target is not there, or is being destroyed.
   */
  retarget(place: Place, name: string, move: AliasMove): Promise<'moved' | 'gone' | 'full'>
  /** @returns false if there is none of this name, or it points to another key. */
  remove(place: Place, name: string, targetKeyId: string): Promise<boolean>
}

/** The move of an alias from one key to another. */
export interface AliasMove {
  readonly fromKeyId: string
  readonly toKeyId: string
  /** Milliseconds since the epoch. */
  readonly nowMs: number
  /** How many aliases the new target may have. */
  readonly most: number
}

/** The tags. */
export interface TagStore {
  /** Tags of a key by tag key. */
  list(keyId: string, page: PageRequest): Promise<readonly Tag[]>
  /**
   * Adds tags or changes their values.
   *
   * @returns false, with nothing changed, if the key would have more than `most` tags.
   * @throws KmsError NotFoundException if the key is not there, or is being destroyed.
   */
  put(keyId: string, tags: readonly Tag[], most: number): Promise<boolean>
  /** Removes tags; those that are not there are ignored. */
  remove(keyId: string, tagKeys: readonly string[]): Promise<void>
}

/** Changes that span token and store; only `lifecycle` uses these. */
export interface IntentStore {
  /**
   * Records a new key in state `Creating` with its tags, and the intent to make its material;
   * without an intent in state `PendingImport`.
   *
   * @param most how many keys the account may have in the Region, this one included.
   * @returns `exists` if there is, or was, a key of this id; `full` if there are `most`.
   */
  beginCreate(
    key: NewKey,
    tags: readonly Tag[],
    intent: (Intent & { kind: 'create' }) | undefined,
    most: number,
  ): Promise<'begun' | 'exists' | 'full'>
  /**
   * Records the intent to rotate, if the key is Enabled and the number of the intent's backing
   * key is the next one.
   *
   * @returns false if it is not so, or another change of the same key is under way.
   */
  beginRotate(intent: Intent & { kind: 'rotate' }): Promise<boolean>
  /**
   * Records the intent to destroy, if the key is PendingDeletion and its window has ended.
   *
   * @returns false if it is not, or another change is under way.
   */
  beginDestroy(intent: Intent & { kind: 'destroy' }, nowMs: number): Promise<boolean>
  /**
   * Makes the new backing key current, and the key `Enabled` if it was `Creating`; the intent
   * ends. Imported material becomes what the intent says, or waits for a rotation if it is not
   * the key's first, and the key that has all its material `Enabled` if it was `PendingImport`.
   *
   * @param change.nowMs when it becomes current.
   * @param change.rotation the schedule that follows. It only ever moves the date of a schedule
   *   with the same period forward: one that was changed or switched off meanwhile stays so.
   * @param change.publicKey the public half of the new backing key, of a pair.
   * @returns the key, or `undefined` if the intent has ended already.
   */
  finishMaterial(
    intentId: string,
    change: {
      readonly nowMs: number
      readonly rotation?: RotationSchedule
      readonly publicKey?: Buffer
    },
  ): Promise<Key | undefined>
  /**
   * Turns the key into a tombstone and removes its aliases, tags, grants and last use; the
   * intent ends. Content if it has ended already.
   */
  finishDestroy(intentId: string, nowMs: number): Promise<void>
  /**
   * Gives up a create, a rotate or an import whose object was never acknowledged; its backing key
   * can never become current after this unless it was before, and a key that was `Creating`
   * vanishes. Content if the intent has ended already.
   */
  abandon(intentId: string, nowMs: number): Promise<void>
  /** Changes under way, oldest first. */
  pending(): Promise<readonly Intent[]>
  /** Puts an unexplained object of the token on record; it is left alone. */
  quarantine(backingKeyId: string, nowMs: number, reason: string): Promise<void>
  /** The objects in quarantine, by id; those released left out. */
  quarantined(page: PageRequest): Promise<readonly QuarantinedObject[]>
  /** Takes an object out of quarantine for good, once an operator has explained it. */
  release(backingKeyId: string, nowMs: number): Promise<void>
}

/** An object of the token that no row of the store explains. */
export interface QuarantinedObject {
  readonly backingKeyId: string
  /** When it was found first, in milliseconds since the epoch. */
  readonly foundMs: number
  readonly reason: string
}

/**
 * What the store knows of a backing key. `intended`: about to be made by an intent. `live`: the
 * material of a key. `destroying`: the same, its destruction has begun. `destroyed`: the material
 * of a destroyed key. `removed`: imported material that was removed again. `abandoned`: given up before it was acknowledged. `released`: no key's, but
 * explained by an operator.
 */
export interface KnownBackingKey {
  /** CKA_ID as 32 hex digits. */
  readonly id: string
  /** Absent if it is released. */
  readonly keyId?: string
  readonly standing:
    | 'intended'
    | 'live'
    | 'destroying'
    | 'destroyed'
    | 'removed'
    | 'abandoned'
    | 'released'
}

/** What pairs this database with its token. */
export interface Installation {
  readonly canaryId: string
  /** Milliseconds since the epoch. */
  readonly createdMs: number
}

/** The store. */
export interface Store {
  readonly keys: KeyStore
  readonly aliases: AliasStore
  readonly tags: TagStore
  readonly grants: GrantStore
  readonly intents: IntentStore
  readonly identities: IdentityStore
  readonly imports: ImportStore
  readonly lastUses: LastUseStore
  /** The installation, once the token has its canary. */
  installation(): Promise<Installation | undefined>
  /** Records the installation; a second one is an error. */
  install(installation: Installation): Promise<void>
  /** Every backing key that was ever spoken of, by id: for reconcile. */
  backingKeys(page: PageRequest): Promise<readonly KnownBackingKey[]>
  /**
   * Counts messages encrypted by a backing key itself (suite 2): durable before it answers.
   *
   * @returns the sum reserved so far, this reservation included.
   */
  reserveMessages(backingKeyId: string, messages: number): Promise<number>
  /**
   * Drops the copies in memory if another process has changed the database by the first time that
   * this is asked in a turn of the event loop: whatever the turn works on has arrived before.
   * `find` asks by itself; whoever relies on `known` asks once, before all that belongs together.
   */
  refresh(): void
  close(): Promise<void>
}

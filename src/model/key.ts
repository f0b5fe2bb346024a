/** KMS keys and aliases as every room speaks of them. */

import type { Place } from './arn.ts'
import type { KeySpec, KeyUsage } from './key-specs.ts'

/** Every state of a key. https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html */
export const KEY_STATES = [
  'Creating',
  'Enabled',
  'Disabled',
  'PendingDeletion',
  'PendingImport',
  'PendingReplicaDeletion',
  'Unavailable',
  'Updating',
] as const

/** The state of a key. */
export type KeyState = (typeof KEY_STATES)[number]

/** Where a key's material comes from. */
export type KeyOrigin = 'AWS_KMS' | 'EXTERNAL' | 'AWS_CLOUDHSM' | 'EXTERNAL_KEY_STORE'

/** Who manages a key. */
export type KeyManager = 'AWS' | 'CUSTOMER'

/** What began a rotation. */
export type RotationType = 'AUTOMATIC' | 'ON_DEMAND'

/**
 * How a symmetric backing key is used. 1: it only derives, and a derived key encrypts.
 * 2: it encrypts itself, for tokens without a suitable derivation.
 */
export type CipherSuite = 1 | 2

/** What is particular to material that its owner has imported. */
export interface ImportedMaterial {
  /** Whether the material is in the token; if not, it waits to be imported again. */
  readonly isPresent: boolean
  /** When it expires, in milliseconds since the epoch; absent if it does not, or is not there. */
  readonly validToMs?: number
  /** The owner's words for it; empty if there are none. */
  readonly description: string
}

/** One object in the token: the material of a key between two rotations. */
export interface BackingKey {
  /** CKA_ID: 16 random bytes as 32 hex digits, unique. */
  readonly id: string
  /** 1 for the first material of the key, then counting up. */
  readonly number: number
  /** How ciphertexts are made with it; only of symmetric encryption keys. */
  readonly suite?: CipherSuite
  /** The public half as SubjectPublicKeyInfo in DER; only of pairs. */
  readonly publicKey?: Buffer
  /** AWS's KeyMaterialId: 64 hex digits. */
  readonly materialId: string
  /** When it became current, in milliseconds since the epoch. */
  readonly createdMs: number
  /** What began the rotation that made it; absent for the first. */
  readonly rotationType?: RotationType
  /** Present if the material is imported. */
  readonly imported?: ImportedMaterial
}

/** Automatic rotation. */
export interface RotationSchedule {
  /** Days from one rotation to the next, 90 to 2560. */
  readonly periodInDays: number
  /** When the next one is due, in milliseconds since the epoch. */
  readonly nextMs: number
}

/** The key policy of a key. */
export interface KeyPolicy {
  /** The JSON document as it was put. */
  readonly text: string
  /**
   * IAM's unique ids of the users and roles that it named when it was put, by the ARNs that it
   * names them by: what has the ARN later, but not the id, is another principal.
   */
  readonly principalIds: ReadonlyMap<string, string>
}

/** A KMS key: immutable, a new value for every change. */
export interface Key extends Place {
  /** UUID, or `mrk-` and 32 hex digits. */
  readonly keyId: string
  readonly arn: string
  readonly description: string
  readonly spec: KeySpec
  readonly usage: KeyUsage
  readonly origin: KeyOrigin
  readonly manager: KeyManager
  readonly policy: KeyPolicy
  readonly state: KeyState
  /** Milliseconds since the epoch. */
  readonly createdMs: number
  /** When the key will be destroyed, in milliseconds since the epoch; while PendingDeletion. */
  readonly deletionMs?: number
  /** Absent while automatic rotation is off. */
  readonly rotation?: RotationSchedule
  /**
   * All material, oldest first; the last one is current. Never empty once the key is made, but for
   * a key of origin EXTERNAL that waits for its first import.
   */
  readonly backingKeys: readonly BackingKey[]
  /** Imported material that waits for RotateKeyOnDemand: it neither encrypts nor decrypts yet. */
  readonly pendingRotation?: BackingKey
}

/** An alias. */
export interface Alias extends Place {
  /** With `alias/`. */
  readonly name: string
  readonly arn: string
  readonly targetKeyId: string
  /** Milliseconds since the epoch. */
  readonly createdMs: number
  /** Milliseconds since the epoch. */
  readonly updatedMs: number
}

/** A tag. */
export interface Tag {
  readonly key: string
  readonly value: string
}

/** The backing key that encrypts now. */
export function currentBackingKey(key: Key): BackingKey {
  const current = key.backingKeys.at(-1)
  if (current === undefined) throw new Error(`key ${key.keyId} has no backing key`)
  return current
}

/** Whether all material of a key is in the token: always so unless it is imported. */
export function hasAllMaterial(key: Key): boolean {
  const isThere = ({ imported }: BackingKey) => imported === undefined || imported.isPresent
  return key.backingKeys.length > 0 && key.backingKeys.every(isThere)
}

/** Whether imported material has expired by a moment in milliseconds since the epoch. */
export function hasExpired({ imported }: BackingKey, nowMs: number): boolean {
  return imported?.validToMs !== undefined && imported.validToMs <= nowMs
}

/**
 * The key as it is at a moment: material that has expired is gone, whether or not it has been
 * destroyed yet, and with it the key waits for its import.
 *
 * @param nowMs milliseconds since the epoch.
 */
export function keyAt(key: Key, nowMs: number): Key {
  if (key.origin !== 'EXTERNAL') return key
  const { pendingRotation } = key
  const expired = [...key.backingKeys, ...(pendingRotation ? [pendingRotation] : [])]
  if (!expired.some((material) => hasExpired(material, nowMs))) return key
  const backingKeys = key.backingKeys.map((material) =>
    material.imported !== undefined && hasExpired(material, nowMs)
      ? { ...material, imported: { ...material.imported, isPresent: false, validToMs: undefined } }
      : material,
  )
  const known = { ...key, backingKeys }
  const waits = ['Enabled', 'Disabled'].includes(key.state) && !hasAllMaterial(known)
  return Object.freeze({
    ...known,
    state: waits ? 'PendingImport' : key.state,
    pendingRotation:
      pendingRotation && hasExpired(pendingRotation, nowMs) ? undefined : pendingRotation,
  })
}

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

/** One object in the token: the material of a key between two rotations. */
export interface BackingKey {
  /** CKA_ID: 16 random bytes as 32 hex digits, unique. */
  readonly id: string
  /** 1 for the first material of the key, then counting up. */
  readonly number: number
  /** How ciphertexts are made with it. */
  readonly suite: CipherSuite
  /** AWS's KeyMaterialId: 64 hex digits. */
  readonly materialId: string
  /** When it became current, in milliseconds since the epoch. */
  readonly createdMs: number
  /** What began the rotation that made it; absent for the first. */
  readonly rotationType?: RotationType
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
  /** All material, oldest first; the last one is current. Never empty once the key is made. */
  readonly backingKeys: readonly BackingKey[]
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

/** A key under attack. */

import type { KeyObject } from 'node:crypto'
import pkcs11js, { type Handle } from 'pkcs11js'
import type { Outcome } from './report.ts'

/** What a key may be used for, by the attribute that allows it. */
export type Use =
  | 'CKA_ENCRYPT'
  | 'CKA_DECRYPT'
  | 'CKA_SIGN'
  | 'CKA_SIGN_RECOVER'
  | 'CKA_VERIFY'
  | 'CKA_VERIFY_RECOVER'
  | 'CKA_DERIVE'
  | 'CKA_WRAP'
  | 'CKA_UNWRAP'

/** A key under attack. */
export interface Target {
  /** Such as `RSA_2048 for SIGN_VERIFY`. */
  readonly name: string
  readonly handle: Handle
  /** A secret key, or the private half of a pair. */
  readonly isSecret: boolean
  /** Whether it signs by Ed25519. */
  readonly isEdwards: boolean
  /** What it is for. */
  readonly uses: readonly Use[]
  /** The mechanisms that it is for. */
  readonly allowed: readonly number[]
  /** Whether the token was told so; otherwise it takes every mechanism for a use. */
  readonly isBound: boolean
  /** Of RSA: the public half, which everybody may have. */
  readonly rsa?: KeyObject
}

/** The usages by their attributes. */
export const USES: Readonly<Record<Use, number>> = {
  CKA_ENCRYPT: pkcs11js.CKA_ENCRYPT,
  CKA_DECRYPT: pkcs11js.CKA_DECRYPT,
  CKA_SIGN: pkcs11js.CKA_SIGN,
  CKA_SIGN_RECOVER: pkcs11js.CKA_SIGN_RECOVER,
  CKA_VERIFY: pkcs11js.CKA_VERIFY,
  CKA_VERIFY_RECOVER: pkcs11js.CKA_VERIFY_RECOVER,
  CKA_DERIVE: pkcs11js.CKA_DERIVE,
  CKA_WRAP: pkcs11js.CKA_WRAP,
  CKA_UNWRAP: pkcs11js.CKA_UNWRAP,
}

/** Whether a mechanism is one that the key is for, in this use. */
export function isFor({ uses, allowed }: Target, use: Use, mechanism: number): boolean {
  return uses.includes(use) && allowed.includes(mechanism)
}

/**
 * What it comes to that a key has done something by another mechanism than its own: nothing that a
 * token could be told to refuse, where it is for that use and the token takes no list of mechanisms.
 */
export function usedOtherwise({ uses, isBound }: Target, use: Use, how: string): Outcome {
  return uses.includes(use) && !isBound ? { unbound: how } : { gain: 'usage added', how }
}

/** The length of an RSA key's modulus, in bytes. */
export function modulusBytes({ asymmetricKeyDetails }: KeyObject): number {
  return (asymmetricKeyDetails?.modulusLength ?? 0) / 8
}

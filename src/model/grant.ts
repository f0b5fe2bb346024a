/**
 * Grants: permissions on one key, given by its users rather than by its policy.
 * https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
 */

import { fail } from './failures.ts'

/** The operations that a grant can give. https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html */
export const GRANT_OPERATIONS = [
  'Decrypt',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'ReEncryptFrom',
  'ReEncryptTo',
  'Sign',
  'Verify',
  'GetPublicKey',
  'CreateGrant',
  'RetireGrant',
  'DescribeKey',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
  'GenerateMac',
  'VerifyMac',
  'DeriveSharedSecret',
  'Encapsulate',
  'Decapsulate',
] as const

/** An operation that a grant can give. */
export type GrantOperation = (typeof GRANT_OPERATIONS)[number]

/** A principal as a grant holds it. */
export interface GrantPrincipal {
  /** Its ARN, or the name of a service. */
  readonly arn: string
  /** IAM's unique id of the user or role, which its successor of the same name does not have. */
  readonly principalId?: string
}

/** What the encryption context of a request has to be for a grant to apply. */
export interface GrantConstraints {
  /** It has all of these pairs. Names are compared whatever their case, values exactly. */
  readonly encryptionContextSubset?: ReadonlyMap<string, string>
  /** It has these pairs and no other. */
  readonly encryptionContextEquals?: ReadonlyMap<string, string>
}

/** A grant. */
export interface Grant {
  /** 64 hex digits. */
  readonly grantId: string
  readonly keyId: string
  /** Empty if it has none. */
  readonly name: string
  readonly grantee: GrantPrincipal
  readonly retiring?: GrantPrincipal
  /** The principal under whose account the grant was made: an ARN. */
  readonly issuingAccount: string
  readonly operations: readonly GrantOperation[]
  readonly constraints?: GrantConstraints
  /** Milliseconds since the epoch. */
  readonly createdMs: number
}

/** @throws KmsError NotFoundException: the key has no such grant. */
export function noSuchGrant(grantId: string): never {
  fail('NotFoundException', `Grant ID ${grantId} not found`)
}

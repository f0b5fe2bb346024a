/**
 * What a grant allows. It never denies.
 * https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
 */

import { isRootArn } from '../model/arn.ts'
import type { EncryptionContext } from '../model/encryption-context.ts'
import { GRANT_OPERATIONS, type Grant, type GrantOperation } from '../model/grant.ts'
import { isBearer, STANDING, type Standing } from './principals.ts'
import type { PolicyRequest } from './request.ts'

/** The operations that take an encryption context: constraints bind only these. */
const WITH_CONTEXT: ReadonlySet<GrantOperation> = new Set([
  'Decrypt',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
  'ReEncryptFrom',
  'ReEncryptTo',
])

const NO_CONTEXT: EncryptionContext = new Map()

/** The operations by their permissions. */
const OPERATIONS: ReadonlyMap<string, GrantOperation> = new Map(
  GRANT_OPERATIONS.map((operation) => [`kms:${operation}`, operation]),
)

/** As what a grant gives the caller what it asks, be it through its account: or `none`. */
export function grantStanding(grant: Grant, request: PolicyRequest): Standing {
  if (!request.grantable) return STANDING.none
  const named = granteeStanding(grant, request)
  if (named === STANDING.none) return named
  const operation = OPERATIONS.get(request.action)
  if (operation === undefined || !grant.operations.includes(operation)) return STANDING.none
  if (!WITH_CONTEXT.has(operation)) return named
  return fitsConstraints(grant, request.encryptionContext ?? NO_CONTEXT) ? named : STANDING.none
}

function granteeStanding(grant: Grant, { caller, provider }: PolicyRequest): Standing {
  if (provider !== undefined) return STANDING.none
  const { arn, principalId } = grant.grantee
  // A service acts for many accounts: what one has granted it, it has not for another.
  if (caller.kind === 'service' && !isRootArn(grant.issuingAccount, caller.account)) {
    return STANDING.none
  }
  if (arn === caller.arn || arn === caller.roleArn) {
    if (principalId !== undefined && !isBearer(caller, principalId)) return STANDING.none
    return arn === caller.arn ? STANDING.self : STANDING.role
  }
  const isOfAccount = caller.kind !== 'service' && isRootArn(arn, caller.account)
  return isOfAccount ? STANDING.account : STANDING.none
}

/** Names are compared whatever their case, values exactly. */
function fitsConstraints({ constraints }: Grant, context: EncryptionContext): boolean {
  const { encryptionContextSubset: subset, encryptionContextEquals: equal } = constraints ?? {}
  if (subset && !isWithin(subset, context)) return false
  if (!equal) return true
  return equal.size === context.size && isWithin(equal, context) && isWithin(context, equal)
}

function isWithin(pairs: EncryptionContext, context: EncryptionContext): boolean {
  for (const [name, value] of pairs) if (!hasPair(context, name, value)) return false
  return true
}

function hasPair(context: EncryptionContext, name: string, value: string): boolean {
  if (context.get(name) === value) return true
  const lower = name.toLowerCase()
  for (const [other, otherValue] of context) {
    if (otherValue === value && other.toLowerCase() === lower) return true
  }
  return false
}

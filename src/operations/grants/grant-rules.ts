/** What AWS KMS asks of grants. */

import { fail } from '../../model/failures.ts'
import type { Grant, GrantConstraints, GrantOperation, GrantPrincipal } from '../../model/grant.ts'
import type { Key } from '../../model/key.ts'
import type { Store } from '../../store/store.ts'

/** Pairs of an encryption context that a constraint may have; https://docs.aws.amazon.com/kms/latest/developerguide/create-grant-overview.html */
const CONSTRAINT_PAIRS_MAX = 8
/** The length of the constraint's context, names and values together, in characters. */
const CONSTRAINT_LENGTH_MAX = 384
const SERVICE = /^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.amazonaws\.com$/

const ALWAYS: readonly GrantOperation[] = ['DescribeKey', 'CreateGrant', 'RetireGrant']
const PUBLIC: readonly GrantOperation[] = ['GetPublicKey']
const ENCRYPTS: readonly GrantOperation[] = ['Encrypt', 'Decrypt', 'ReEncryptFrom', 'ReEncryptTo']

/**
 * Refuses what no grant may say, whatever the key.
 *
 * @throws KmsError ValidationException; UnsupportedOperationException for what would make the grant
 *   stricter if keyslot had it, and for services of AWS.
 */
export function checkGrant(asked: {
  readonly operations: readonly GrantOperation[]
  readonly constraints?: GrantConstraints & { readonly sourceArn?: string }
  readonly granteeServicePrincipal?: string
  readonly retiringServicePrincipal?: string
}): void {
  const { operations, constraints, granteeServicePrincipal, retiringServicePrincipal } = asked
  if (constraints?.sourceArn !== undefined) {
    fail('UnsupportedOperationException', 'keyslot has no grant constraint SourceArn.')
  }
  if (granteeServicePrincipal !== undefined || retiringServicePrincipal !== undefined) {
    const members = 'GranteeServicePrincipal and RetiringServicePrincipal'
    fail('UnsupportedOperationException', `keyslot has no ${members}.`)
  }
  const { encryptionContextEquals: equals, encryptionContextSubset: subset } = constraints ?? {}
  // An empty context is no constraint.
  if (equals?.size && subset?.size) fail('ValidationException', 'More than one constraint supplied')
  if (operations.every((each) => each === 'CreateGrant')) {
    fail('ValidationException', 'Grants must not contain only the CreateGrant operation.')
  }
}

/** The operations that a grant on a key of this kind may allow. */
function operationsOf({ spec, usage }: Key): readonly GrantOperation[] {
  switch (usage) {
    case 'SIGN_VERIFY':
      return ['Sign', 'Verify', ...PUBLIC]
    case 'GENERATE_VERIFY_MAC':
      return ['GenerateMac', 'VerifyMac']
    case 'KEY_AGREEMENT':
      return ['DeriveSharedSecret', ...PUBLIC]
    case 'ENCAPSULATE_DECAPSULATE':
      return ['Encapsulate', 'Decapsulate', ...PUBLIC]
    default:
      if (spec !== 'SYMMETRIC_DEFAULT') return [...ENCRYPTS, ...PUBLIC]
      return [
        ...ENCRYPTS,
        'GenerateDataKey',
        'GenerateDataKeyWithoutPlaintext',
        'GenerateDataKeyPair',
        'GenerateDataKeyPairWithoutPlaintext',
      ]
  }
}

/**
 * Refuses what no grant on this key may say.
 *
 * @throws KmsError ValidationException for operations that the key does not have, and for
 *   constraints on a key whose operations take no encryption context.
 */
export function checkFits(
  key: Key,
  asked: { operations: readonly GrantOperation[]; constraints?: GrantConstraints },
): void {
  const known = [...operationsOf(key), ...ALWAYS]
  const wrong = asked.operations.filter((each) => !known.includes(each))
  if (wrong.length > 0) {
    const what = `Grant operations [${wrong.join(', ')}]`
    fail('ValidationException', `${what} are not supported by ${key.arn}, which is ${key.spec}.`)
  }
  if (constraintsOf(asked.constraints) && key.spec !== 'SYMMETRIC_DEFAULT') {
    const message = `Encryption context constraints are not supported by ${key.arn}.`
    fail('ValidationException', message)
  }
}

/**
 * The constraints of a request; absent if there are none.
 *
 * @throws KmsError ValidationException for more than 8 pairs or 384 characters.
 */
export function constraintsOf(given: GrantConstraints | undefined): GrantConstraints | undefined {
  const equals = filled(given?.encryptionContextEquals)
  const subset = filled(given?.encryptionContextSubset)
  if (!equals && !subset) return undefined
  return {
    ...(equals && { encryptionContextEquals: equals }),
    ...(subset && { encryptionContextSubset: subset }),
  }
}

function filled(pairs: ReadonlyMap<string, string> | undefined) {
  if (pairs === undefined || pairs.size === 0) return undefined
  const length = [...pairs].reduce((sum, [key, value]) => sum + key.length + value.length, 0)
  if (pairs.size > CONSTRAINT_PAIRS_MAX || length > CONSTRAINT_LENGTH_MAX) {
    fail(
      'ValidationException',
      `A grant constraint may have ${CONSTRAINT_PAIRS_MAX} pairs of the encryption context with ` +
        `${CONSTRAINT_LENGTH_MAX} characters.`,
    )
  }
  return pairs
}

/**
 * Whether a grant with CreateGrant among its operations lets its grantee make this one: of its own
 * operations, and as strict or stricter.
 * https://docs.aws.amazon.com/kms/latest/developerguide/create-grant-overview.html
 */
export function delegates(
  { operations, constraints }: Grant,
  asked: { operations: readonly GrantOperation[]; constraints?: GrantConstraints },
): boolean {
  if (!asked.operations.every((each) => operations.includes(each))) return false
  const { encryptionContextEquals: equals, encryptionContextSubset: subset } = constraints ?? {}
  const theirs = asked.constraints?.encryptionContextEquals ?? NO_PAIRS
  const theirSubset = asked.constraints?.encryptionContextSubset ?? NO_PAIRS
  // An empty context in the request is no constraint at all, and equal to none.
  if (equals && !(theirs.size === equals.size && isWithin(equals, theirs))) return false
  return !subset || isWithin(subset, theirs) || isWithin(subset, theirSubset)
}

const NO_PAIRS: ReadonlyMap<string, string> = new Map()

function isWithin(pairs: ReadonlyMap<string, string>, all: ReadonlyMap<string, string>): boolean {
  const known = new Set([...all].map(folded))
  return [...pairs].every((pair) => known.has(folded(pair)))
}

/** Names of pairs are compared whatever their case, values exactly. */
function folded([name, value]: readonly [string, string]): string {
  return JSON.stringify([name.toLowerCase(), value])
}

/**
 * The principal of an ARN, bound to who it is now.
 *
 * @throws KmsError InvalidArnException if there is none.
 */
export async function principalOf(store: Store, arn: string): Promise<GrantPrincipal> {
  if (SERVICE.test(arn)) return { arn }
  const found = await store.identities.find(arn)
  if (!found) fail('InvalidArnException', `ARN does not refer to a valid principal: ${arn}`)
  return { arn, principalId: found.principalId }
}

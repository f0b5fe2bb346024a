/**
 * The condition keys that exist, and how the value of one is read from a request.
 *
 * Names are the same whatever their case, the part behind `:` or `/` too.
 * https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 */

import type { Caller } from '../model/caller.ts'
import type { Reader } from './patterns.ts'

/** What a condition key is. */
export interface ConditionKey {
  readonly type: 'string' | 'number' | 'bool' | 'date' | 'ip' | 'arn'
  /** Whether it can have several values, for which conditions need ForAllValues or ForAnyValue. */
  readonly many?: true
  /** What stands between it and the name that it takes, of a tag or of a pair of the context. */
  readonly takesName?: ':' | '/'
  /** Its value where it follows from the caller; `name` is what it takes, in lower case. */
  readonly ofCaller?: (caller: Caller, name: string) => string | undefined
}

/** The table of condition keys, by AWS's spelling. */
export const CONDITION_KEYS = {
  'aws:CurrentTime': { type: 'date' },
  'aws:EpochTime': { type: 'date' },
  'aws:MultiFactorAuthPresent': { type: 'bool' },
  'aws:PrincipalAccount': {
    type: 'string',
    ofCaller: ({ kind, account }) => (kind === 'service' ? undefined : account),
  },
  'aws:PrincipalArn': {
    type: 'arn',
    // Of a session it is the role's, not the session's.
    ofCaller: ({ kind, arn, roleArn }) => (kind === 'service' ? undefined : (roleArn ?? arn)),
  },
  'aws:PrincipalIsAWSService': {
    type: 'bool',
    ofCaller: ({ kind }) => (kind === 'service' ? 'true' : 'false'),
  },
  'aws:PrincipalServiceName': {
    type: 'string',
    ofCaller: ({ kind, arn }) => (kind === 'service' ? arn : undefined),
  },
  'aws:PrincipalTag': {
    type: 'string',
    takesName: '/',
    ofCaller: ({ tags }, name) => tagNamed(tags, name),
  },
  'aws:PrincipalType': { type: 'string', ofCaller: ({ kind }) => PRINCIPAL_TYPES[kind] },
  'aws:RequestTag': { type: 'string', takesName: '/' },
  'aws:RequestedRegion': { type: 'string' },
  'aws:ResourceAccount': { type: 'string' },
  'aws:ResourceTag': { type: 'string', takesName: '/' },
  'aws:SecureTransport': { type: 'bool' },
  'aws:SourceAccount': {
    type: 'string',
    ofCaller: ({ kind, account }) => (kind === 'service' ? account : undefined),
  },
  'aws:SourceArn': { type: 'arn', ofCaller: ({ sourceArn }) => sourceArn },
  'aws:SourceIp': { type: 'ip' },
  'aws:TagKeys': { type: 'string', many: true },
  'aws:TokenIssueTime': { type: 'date' },
  'aws:userid': { type: 'string', ofCaller: ({ principalId }) => principalId },
  'aws:username': {
    type: 'string',
    ofCaller: ({ kind, arn }) =>
      kind === 'user' ? arn.slice(arn.lastIndexOf('/') + 1) : undefined,
  },
  'kms:BypassPolicyLockoutSafetyCheck': { type: 'bool' },
  'kms:CallerAccount': { type: 'string', ofCaller: ({ account }) => account },
  'kms:CustomerMasterKeySpec': { type: 'string' },
  'kms:CustomerMasterKeyUsage': { type: 'string' },
  'kms:DataKeyPairSpec': { type: 'string' },
  'kms:EncryptionAlgorithm': { type: 'string' },
  'kms:EncryptionContext': { type: 'string', takesName: ':' },
  'kms:EncryptionContextKeys': { type: 'string', many: true },
  'kms:ExpirationModel': { type: 'string' },
  'kms:GrantConstraintType': { type: 'string' },
  'kms:GrantIsForAWSResource': { type: 'bool' },
  'kms:GrantOperations': { type: 'string', many: true },
  'kms:GranteePrincipal': { type: 'string' },
  'kms:KeyAgreementAlgorithm': { type: 'string' },
  'kms:KeyOrigin': { type: 'string' },
  'kms:KeySpec': { type: 'string' },
  'kms:KeyUsage': { type: 'string' },
  'kms:MacAlgorithm': { type: 'string' },
  'kms:MessageType': { type: 'string' },
  'kms:MultiRegion': { type: 'bool' },
  'kms:MultiRegionKeyType': { type: 'string' },
  'kms:PrimaryRegion': { type: 'string' },
  'kms:ReEncryptOnSameKey': { type: 'bool' },
  'kms:ReplicaRegion': { type: 'string' },
  'kms:RequestAlias': { type: 'string' },
  'kms:ResourceAliases': { type: 'string', many: true },
  'kms:RetiringPrincipal': { type: 'string' },
  'kms:RotationPeriodInDays': { type: 'number' },
  'kms:ScheduleKeyDeletionPendingWindowInDays': { type: 'number' },
  'kms:SigningAlgorithm': { type: 'string' },
  'kms:ValidTo': { type: 'date' },
  'kms:ViaService': { type: 'string' },
  'kms:WrappingAlgorithm': { type: 'string' },
  'kms:WrappingKeySpec': { type: 'string' },
} as const satisfies Record<string, ConditionKey>

/** `aws:PrincipalType` by the kind of caller. */
const PRINCIPAL_TYPES: Readonly<Record<Caller['kind'], string | undefined>> = {
  root: 'Account',
  user: 'User',
  role: 'AssumedRole',
  service: undefined,
  'web-identity': undefined,
  keyslot: undefined,
}

const byLowerCase: ReadonlyMap<string, ConditionKey> = new Map(
  Object.entries<ConditionKey>(CONDITION_KEYS).map(([name, key]) => [name.toLowerCase(), key]),
)

/** The key of a name in whatever case, and what it takes in lower case; if there is such a key. */
export function conditionKey(text: string): { key: ConditionKey; name: string } | undefined {
  const lower = text.toLowerCase()
  const plain = byLowerCase.get(lower)
  if (plain) return plain.takesName ? undefined : { key: plain, name: '' }
  for (const [prefix, key] of byLowerCase) {
    if (key.takesName && lower.startsWith(prefix + key.takesName)) {
      return { key, name: lower.slice(prefix.length + 1) }
    }
  }
  return undefined
}

/**
 * What reads the values of a key. One that the table does not have is asked of the request too,
 * which knows nothing of it but for the claims of a web identity: policies that are meant for
 * several services speak of keys that mean nothing here.
 *
 * @returns `undefined` if no key can have the name: each is prefixed with its service's.
 */
export function readerOfKey(text: string): Reader | undefined {
  if (!/^[^:]+:./s.test(text)) return undefined
  const lower = text.toLowerCase()
  const found = conditionKey(lower)
  const ofCaller = found?.key.ofCaller
  if (found && ofCaller) return ({ caller }) => ofCaller(caller, found.name)
  return ({ conditions }) => conditions.get(lower)
}

/** The tag of a name whatever its case: IAM lets no principal have two. */
function tagNamed(tags: Caller['tags'], lowerCase: string): string | undefined {
  if (!tags) return undefined
  for (const [name, value] of tags) if (name.toLowerCase() === lowerCase) return value
  return undefined
}

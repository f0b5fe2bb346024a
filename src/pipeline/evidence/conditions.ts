/**
 * The values of condition keys in a call: found when a policy asks for them, and not before.
 * https://docs.aws.amazon.com/kms/latest/developerguide/policy-conditions.html
 */

import type { Tag } from '../../model/key.ts'
import type { Question } from '../../operations/authority.ts'
import type { ConditionValues } from '../../policy/request.ts'

/** What values are found in. */
export interface Facts {
  readonly question: Pick<
    Question,
    'caller' | 'permission' | 'resource' | 'key' | 'aliasName' | 'onSameKey' | 'conditions' | 'call'
  >
  readonly region: string
  /** Milliseconds since the epoch. */
  readonly nowMs: number
  /** The names of the key's aliases, if a policy may ask for them. */
  readonly aliasNames?: readonly string[]
  /** The tags of the key, if a policy may ask for them. */
  readonly tags?: readonly Tag[]
}

type Value = string | readonly string[] | undefined

const SERVICE_SUFFIX = '.amazonaws.com'
/** The permissions that AWS lets `kms:GrantIsForAWSResource` decide. */
const OF_GRANTS = new Set(['kms:creategrant', 'kms:listgrants', 'kms:revokegrant'])
const RE_ENCRYPTIONS = new Set(['kms:reencryptfrom', 'kms:reencryptto'])

/** By their names in lower case; what follows from the caller alone is policy/'s to know. */
const READERS: ReadonlyMap<string, (facts: Facts) => Value> = new Map<
  string,
  (facts: Facts) => Value
>([
  ['aws:currenttime', ({ nowMs }) => new Date(nowMs).toISOString()],
  ['aws:epochtime', ({ nowMs }) => String(Math.floor(nowMs / 1000))],
  ['aws:requestedregion', ({ region }) => region],
  ['aws:resourceaccount', ({ question }) => question.resource.account],
  ['aws:securetransport', ({ question }) => String(question.call.secureTransport)],
  ['aws:sourceip', ({ question }) => question.call.sourceAddress],
  ['aws:useragent', ({ question }) => question.call.userAgent],
  ['kms:customermasterkeyspec', ({ question }) => question.key?.spec],
  ['kms:customermasterkeyusage', ({ question }) => question.key?.usage],
  ['kms:encryptioncontextkeys', contextKeys],
  ['kms:grantisforawsresource', grantIsForService],
  ['kms:keyorigin', ({ question }) => question.key?.origin],
  ['kms:keyspec', ({ question }) => question.key?.spec],
  ['kms:keyusage', ({ question }) => question.key?.usage],
  ['kms:multiregion', isMultiRegion],
  ['kms:reencryptonsamekey', isOnSameKey],
  ['kms:requestalias', ({ question }) => question.aliasName],
  ['kms:resourcealiases', ({ aliasNames }) => aliasNames],
  ['kms:viaservice', viaService],
])

/** The values. */
export function conditionValues(facts: Facts): ConditionValues {
  let given: ReadonlyMap<string, unknown> | undefined
  return {
    get(name) {
      given ??= lowered(facts.question.conditions)
      const own = given.get(name)
      if (own !== undefined && !(own instanceof Map)) return spelled(own)
      return READERS.get(name)?.(facts) ?? named(name, given, facts)
    },
  }
}

function lowered(conditions: Question['conditions']): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(conditions).map(([name, value]) => [name.toLowerCase(), value]))
}

function spelled(value: unknown): string | readonly string[] {
  if (Array.isArray(value)) return value
  return value instanceof Date ? value.toISOString() : String(value)
}

/** The value of a key that takes a name: of a pair of the encryption context, or of a tag. */
function named(name: string, given: ReadonlyMap<string, unknown>, { tags }: Facts): Value {
  const [, key = '', member = ''] = /^([^:]+:[^:/]+)[:/](.*)$/s.exec(name) ?? []
  if (key === 'aws:resourcetag' && tags) {
    return valuesOf(new Map(tags.map((tag) => [tag.key, tag.value])), member)
  }
  const map = given.get(key)
  return map instanceof Map ? valuesOf(map, member) : undefined
}

/** One, or those of several names that are the same but for their case. */
function valuesOf(map: ReadonlyMap<string, string>, lowerCase: string): Value {
  const values =
    map.size > FEW
      ? (foldedOf(map).get(lowerCase) ?? [])
      : [...map].filter(([name]) => name.toLowerCase() === lowerCase).map(([, value]) => value)
  return values.length > 1 ? values : values[0]
}

/** How many names are looked at one by one for each key that a policy asks for. */
const FEW = 8

/** The values by their names in lower case, of maps of many: each is gone through once. */
const FOLDED = new WeakMap<ReadonlyMap<string, string>, ReadonlyMap<string, readonly string[]>>()

function foldedOf(map: ReadonlyMap<string, string>): ReadonlyMap<string, readonly string[]> {
  const known = FOLDED.get(map)
  if (known) return known
  const folded = new Map<string, string[]>()
  for (const [name, value] of map) {
    const lower = name.toLowerCase()
    const values = folded.get(lower)
    if (values) values.push(value)
    else folded.set(lower, [value])
  }
  FOLDED.set(map, folded)
  return folded
}

function isMultiRegion({ question: { key } }: Facts): Value {
  return key && String(key.keyId.startsWith('mrk-'))
}

function contextKeys({ question: { conditions } }: Facts): Value {
  const context = conditions['kms:EncryptionContext']
  return context instanceof Map && context.size > 0 ? [...context.keys()] : undefined
}

/** A service that asks for itself, so that what it protects stays in use when its user is gone. */
function grantIsForService({ question: { caller, permission } }: Facts): Value {
  return OF_GRANTS.has(permission.toLowerCase()) ? String(caller.kind === 'service') : undefined
}

function isOnSameKey({ question: { permission, onSameKey } }: Facts): Value {
  return RE_ENCRYPTIONS.has(permission.toLowerCase()) ? String(onSameKey === true) : undefined
}

function viaService({ question: { caller }, region }: Facts): Value {
  if (caller.kind !== 'service' || !caller.arn.endsWith(SERVICE_SUFFIX)) return undefined
  return `${caller.arn.slice(0, -SERVICE_SUFFIX.length)}.${region}${SERVICE_SUFFIX}`
}

/**
 * Holds a request against the rules of the contract, in AWS's words: all that is wrong at once, as
 * far as it can be read.
 * https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html
 */

import { checkContextLength, type EncryptionContext } from '../model/encryption-context.ts'
import { fail } from '../model/failures.ts'
import type { FieldContract, MessageContract, Rule } from './contract.ts'
import { isGivenEmpty } from './given.ts'
import type { PlainMessage } from './wire.ts'

const SHOWN_LENGTH_MAX = 128
/** As many are named; a request can break a rule thousands of times. */
const PROBLEMS_MAX = 20

/**
 * Checks a request and fills in the defaults.
 *
 * @returns the request with its defaults.
 * @throws KmsError ValidationException that names the members which break a rule, the first 20; or
 *   for an encryption context that is too long, so that nothing is decided by one.
 */
export function validated(contract: MessageContract, request: PlainMessage): PlainMessage {
  const problems: string[] = []
  const whole = withDefaults(contract, request)
  check(contract, whole, '', problems)
  if (problems.length > 0) {
    const errors = problems.length === 1 ? 'error' : 'errors'
    fail(
      'ValidationException',
      `${problems.length} validation ${errors} detected: ${problems.join('; ')}`,
    )
  }
  return whole
}

function withDefaults(contract: MessageContract, request: PlainMessage): PlainMessage {
  let whole: Record<string, unknown> | undefined
  for (const { name, rule } of contract.fields) {
    if (rule.default === undefined || request[name] !== undefined) continue
    whole ??= { ...request }
    whole[name] = rule.default
  }
  return whole ?? request
}

function check(
  contract: MessageContract,
  value: PlainMessage,
  path: string,
  problems: string[],
): void {
  for (const field of contract.fields) {
    if (problems.length >= PROBLEMS_MAX) return
    const at = path + field.name
    const member = value[field.name]
    if (isMissing(field, member) && !isGivenEmpty(value, field.name)) {
      if (field.rule.required) {
        problems.push(`Value null at '${at}' failed to satisfy constraint: Member must not be null`)
      }
      continue
    }
    if (field.context) checkContextLength(member as EncryptionContext)
    const complaint = complaintOf(field, member)
    if (complaint) {
      problems.push(`${shown(field, member)} at '${at}' failed to satisfy constraint: ${complaint}`)
      // Of a list that is too long the items are not looked at.
      continue
    }
    const { holds } = field
    if (holds.kind !== 'message') continue
    const items = field.repeated ? (member as PlainMessage[]) : [member as PlainMessage]
    items.forEach((item, index) => {
      const inside = field.repeated ? `${at}.${index + 1}.member.` : `${at}.`
      check(holds.message, item, inside, problems)
    })
  }
}

function isMissing(field: FieldContract, member: unknown): boolean {
  if (member === undefined) return true
  // Without `optional` an empty member and an absent one are the same on the wire.
  if (field.optional) return false
  if (field.holds.kind === 'map') return (member as ReadonlyMap<string, string>).size === 0
  return lengthOf(member) === 0
}

function lengthOf(member: unknown): number | undefined {
  if (typeof member === 'string' || Array.isArray(member)) return member.length
  if (member instanceof Uint8Array) return member.length
  return undefined
}

function complaintOf(field: FieldContract, member: unknown): string | undefined {
  const { rule, holds } = field
  const size = holds.kind === 'int32' ? Number(member) : lengthOf(member)
  const measure = holds.kind === 'int32' ? 'value' : 'length'
  if (rule.min !== undefined && size !== undefined && size < rule.min) {
    return `Member must have ${measure} greater than or equal to ${rule.min}`
  }
  if (rule.max !== undefined && size !== undefined && size > rule.max) {
    return `Member must have ${measure} less than or equal to ${rule.max}`
  }
  if (rule.pattern && typeof member === 'string' && !rule.pattern.test(member)) {
    return `Member must satisfy regular expression pattern: ${rule.pattern.source}`
  }
  if (holds.kind === 'enum') {
    const names: readonly unknown[] = holds.enum.names
    const items: readonly unknown[] = Array.isArray(member) ? member : [member]
    if (!items.every((item) => names.includes(item))) {
      const constraint = `Member must satisfy enum value set: [${names.join(', ')}]`
      return Array.isArray(member) ? `Member must satisfy constraint: [${constraint}]` : constraint
    }
  }
  return Array.isArray(member) ? complaintOfItems(rule, member) : undefined
}

function complaintOfItems(rule: Rule, items: readonly unknown[]): string | undefined {
  const { itemMin = 0, itemMax = Number.POSITIVE_INFINITY } = rule
  const sound = items.every(
    (item) => typeof item !== 'string' || (item.length >= itemMin && item.length <= itemMax),
  )
  if (sound) return undefined
  return (
    'Member must satisfy constraint: [Member must have length less than or equal to ' +
    `${itemMax}, Member must have length greater than or equal to ${itemMin}]`
  )
}

/** The value as AWS shows it: never a secret one, and never endless. */
function shown(field: FieldContract, member: unknown): string {
  if (field.secret) return 'Value'
  const text = Array.isArray(member) ? `[${member.join(', ')}]` : String(member)
  const short = text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX)}…` : text
  return `Value '${short}'`
}

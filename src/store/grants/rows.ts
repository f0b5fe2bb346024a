/** The rows of `grants`, and the way between a row and the model; checked when they are read. */

import { createHash } from 'node:crypto'
import { isKeyId } from '../../model/arn.ts'
import {
  GRANT_OPERATIONS,
  type Grant,
  type GrantConstraints,
  type GrantOperation,
  type GrantPrincipal,
} from '../../model/grant.ts'
import { check, inRow, oneOf, whole } from '../row-checks.ts'

/** A row of `grants`; the migration says what the columns hold. */
export interface GrantRow {
  grant_id: string
  key_id: string
  name: string
  grantee_arn: string
  grantee_id: string | null
  retiring_arn: string | null
  retiring_id: string | null
  issuing_account: string
  operations: string
  constraints: string
  constraint_pair: string
  token_key: string
  named_as: string | null
  created_ms: number
}

/** A grant with the key of its tokens. */
export type StoredGrant = Grant & {
  /** By which the grant's tokens are known: 32 bytes as hex digits. */
  readonly tokenKey: string
}

type Pair = readonly [string, string]

/** @throws Error naming the row, if it cannot be a grant. */
export function grantOf(row: GrantRow): StoredGrant {
  return inRow(`grant ${row.grant_id}`, () => {
    check(/^[0-9a-f]{64}$/.test(row.grant_id), 'grant_id')
    check(/^[0-9a-f]{64}$/.test(row.token_key), 'token_key')
    check(isKeyId(row.key_id), 'key_id')
    const { retiring_arn: retiringArn } = row
    const { constraints, operations } = row
    const grant = {
      grantId: row.grant_id,
      keyId: row.key_id,
      name: row.name,
      grantee: principalOf(row.grantee_arn, row.grantee_id),
      retiring: retiringArn === null ? undefined : principalOf(retiringArn, row.retiring_id),
      issuingAccount: row.issuing_account,
      operations: Object.freeze(operationsOf(operations)),
      constraints: constraintsOf(constraints),
      createdMs: whole(row.created_ms, 'created_ms'),
      tokenKey: row.token_key,
    }
    check(row.constraint_pair === constraintPair(grant.constraints), 'constraint_pair')
    return Object.freeze(grant)
  })
}

/** The columns of a grant. */
export function grantRow(grant: StoredGrant): GrantRow {
  const row = {
    grant_id: grant.grantId,
    key_id: grant.keyId,
    name: grant.name,
    grantee_arn: grant.grantee.arn,
    grantee_id: grant.grantee.principalId ?? null,
    retiring_arn: grant.retiring?.arn ?? null,
    retiring_id: grant.retiring?.principalId ?? null,
    issuing_account: grant.issuingAccount,
    operations: JSON.stringify(grant.operations),
    constraints: constraintsText(grant.constraints),
    constraint_pair: constraintPair(grant.constraints),
    token_key: grant.tokenKey,
    created_ms: grant.createdMs,
  }
  return { ...row, named_as: row.name === '' ? null : likeness(row) }
}

/** A pair of an encryption context as grants are found by it: the name whatever its case. */
export function pairName(key: string, value: string): string {
  return JSON.stringify([key.toLowerCase(), value])
}

/**
 * The pair by which a grant is found: a request that has not this one, the grant does not apply
 * to. The longest of them, which tells most; empty if there is no constraint.
 */
function constraintPair(constraints: GrantConstraints | undefined): string {
  const { encryptionContextEquals: equals, encryptionContextSubset: subset } = constraints ?? {}
  const names = [...(equals ?? []), ...(subset ?? [])].map(([key, value]) => pairName(key, value))
  return names.reduce((longest, name) => (name.length > longest.length ? name : longest), '')
}

/** What a repeated request has in common with the first one: all that was asked for. */
function likeness(row: Omit<GrantRow, 'named_as'>): string {
  const { name, grantee_arn, grantee_id, retiring_arn, retiring_id, issuing_account } = row
  const operations = (JSON.parse(row.operations) as string[]).toSorted()
  const asked = [name, grantee_arn, grantee_id, retiring_arn, retiring_id, issuing_account]
  return createHash('sha256')
    .update(JSON.stringify([...asked, operations, row.constraints]))
    .digest('hex')
}

function principalOf(arn: string, principalId: string | null): GrantPrincipal {
  check(arn !== '', 'principal')
  return Object.freeze(principalId === null ? { arn } : { arn, principalId })
}

function operationsOf(text: string): GrantOperation[] {
  const listed: unknown = JSON.parse(text)
  check(Array.isArray(listed) && listed.length > 0, 'operations')
  return (listed as unknown[]).map((each) => oneOf(GRANT_OPERATIONS, each, 'operations'))
}

function constraintsText(constraints: GrantConstraints | undefined): string {
  const pairs = (map: ReadonlyMap<string, string> | undefined) =>
    map && [...map].toSorted(([a], [b]) => (a < b ? -1 : 1))
  if (constraints === undefined) return '{}'
  const { encryptionContextEquals, encryptionContextSubset } = constraints
  return JSON.stringify({
    equals: pairs(encryptionContextEquals),
    subset: pairs(encryptionContextSubset),
  })
}

function constraintsOf(text: string): GrantConstraints | undefined {
  const { equals, subset, ...rest } = JSON.parse(text) as Record<string, readonly Pair[]>
  check(Object.keys(rest).length === 0, 'constraints')
  if (equals === undefined && subset === undefined) return undefined
  return Object.freeze({
    ...(equals && { encryptionContextEquals: mapOf(equals) }),
    ...(subset && { encryptionContextSubset: mapOf(subset) }),
  })
}

function mapOf(pairs: readonly Pair[]): ReadonlyMap<string, string> {
  check(
    pairs.every((pair) => pair.length === 2 && pair.every((part) => typeof part === 'string')),
    'constraints',
  )
  return new Map(pairs)
}

/**
 * The rows of the tables, and the way from a row to the model. Every row is checked when it is
 * read: one that cannot be what it should is an error that names it, never a guess.
 */

import type { Generated } from 'kysely'
import { aliasArn, isAliasName, isKeyId, keyArn } from '../model/arn.ts'
import {
  type Alias,
  type BackingKey,
  type CipherSuite,
  type ImportedMaterial,
  KEY_STATES,
  type Key,
  type KeyManager,
  type KeyOrigin,
  type KeyPolicy,
  type RotationSchedule,
  type RotationType,
  type Tag,
} from '../model/key.ts'
import {
  isPair,
  KEY_SPECS,
  type KeyKind,
  type KeySpec,
  type KeyUsage,
  keySpecRow,
} from '../model/key-specs.ts'
import type { GrantRow } from './grants/rows.ts'
import type { IdentityTables } from './identities/rows.ts'
import type { Intent } from './intent.ts'
import { check, inRow, oneOf, whole } from './row-checks.ts'

/** The tables; `migrations/` says what the columns hold. */
export interface Tables extends IdentityTables {
  keys: KeyRow
  backing_keys: BackingKeyRow
  aliases: AliasRow
  tags: TagRow
  grants: GrantRow
  intents: IntentRow
  abandoned_backing_keys: { id: string; key_id: string; abandoned_ms: number }
  quarantine: QuarantineRow
  wrapping_keys: WrappingKeyRow
  last_uses: LastUseRow
  message_counts: { backing_key_id: string; reserved: number }
  installation: {
    id: number
    canary_id: string
    created_ms: number
    uses_since_ms: Generated<number>
  }
}

/** A row of `keys`. */
export interface KeyRow {
  key_id: string
  account: string
  region: string
  description: string
  spec: string
  usage: string
  origin: string
  manager: string
  policy: string
  policy_principals: string
  state: string
  created_ms: number
  deletion_ms: number | null
  schedule_period_in_days: number | null
  schedule_next_ms: number | null
  destroyed_ms: number | null
}

/** A row of `backing_keys`. */
export interface BackingKeyRow {
  id: string
  key_id: string
  number: number
  suite: number
  material_id: string
  created_ms: number
  rotation_type: string | null
  present: number | null
  valid_to_ms: number | null
  description: string | null
  pending_rotation: number
  public_key: Uint8Array | null
}

/** A row of `aliases`. */
export interface AliasRow {
  account: string
  region: string
  name: string
  target_key_id: string
  created_ms: number
  updated_ms: number
}

/** A row of `tags`. */
export interface TagRow {
  key_id: string
  tag_key: string
  tag_value: string
}

/** A row of `quarantine`. */
export interface QuarantineRow {
  backing_key_id: string
  found_ms: number
  reason: string
  released_ms: number | null
}

/** A row of `wrapping_keys`. */
export interface WrappingKeyRow {
  id: string
  key_id: string
  algorithm: string
  spec: string
  token_digest: string
  created_ms: number
  valid_to_ms: number
  failures: number
  used_ms: number | null
  destroyed_ms: number | null
}

/** A row of `last_uses`. */
export interface LastUseRow {
  key_id: string
  operation: string
  used_ms: number
  request_id: string
}

/** A row of `intents`. */
export interface IntentRow {
  intent_id: string
  key_id: string
  kind: string
  created_ms: number
  backing_key_id: string | null
  number: number | null
  suite: number | null
  material_id: string | null
  rotation_type: string | null
  valid_to_ms: number | null
  description: string | null
  wrapping_key_id: string | null
}

const ORIGINS: readonly KeyOrigin[] = ['AWS_KMS', 'EXTERNAL', 'AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE']
const MANAGERS: readonly KeyManager[] = ['AWS', 'CUSTOMER']
const ROTATION_TYPES: readonly RotationType[] = ['AUTOMATIC', 'ON_DEMAND']
const INTENT_KINDS = ['create', 'rotate', 'import', 'remove', 'destroy'] as const
const SUITES: readonly CipherSuite[] = [1, 2]
/** In the place of a suite, for keys that are not for symmetric encryption. */
export const NO_SUITE = 0

/**
 * A key from its row and the rows of its backing keys by number.
 *
 * @throws Error naming the row, if it cannot be a key.
 */
export function keyOf(row: KeyRow, backingRows: readonly BackingKeyRow[]): Key {
  return inRow(`key ${row.key_id}`, () => {
    const place = placeOf(row)
    const { spec, usage } = kindOf(row, row.key_id)
    const state = oneOf(KEY_STATES, row.state, 'state')
    const origin = oneOf(ORIGINS, row.origin, 'origin')
    const backingKeys = backingRows.filter((each) => each.pending_rotation === 0).map(backingKeyOf)
    const [pendingRotation, ...others] = backingRows
      .filter((each) => each.pending_rotation !== 0)
      .map(backingKeyOf)
    check(isKeyId(row.key_id), 'key_id')
    check((state === 'PendingDeletion') === (row.deletion_ms !== null), 'deletion_ms')
    check(backingKeys.length > 0 || state === 'Creating' || origin === 'EXTERNAL', 'backing keys')
    check(
      backingKeys.every(({ suite }) => (suite !== undefined) === (spec === 'SYMMETRIC_DEFAULT')),
      'suite',
    )
    check(
      backingKeys.every(({ publicKey }) => (publicKey !== undefined) === isPair(spec)),
      'public_key',
    )
    check(
      backingRows.every(({ number }, at) => number === at + 1),
      'backing key numbers',
    )
    check(
      backingRows.every(({ present }) => (present !== null) === (origin === 'EXTERNAL')),
      'present',
    )
    check(others.length === 0, 'pending_rotation')
    return Object.freeze({
      ...place,
      keyId: row.key_id,
      arn: keyArn(place, row.key_id),
      description: row.description,
      spec,
      usage,
      origin,
      manager: oneOf(MANAGERS, row.manager, 'manager'),
      policy: policyOf(row),
      state,
      createdMs: whole(row.created_ms, 'created_ms'),
      deletionMs: row.deletion_ms === null ? undefined : whole(row.deletion_ms, 'deletion_ms'),
      rotation: scheduleOf(row),
      backingKeys: Object.freeze(backingKeys),
      ...(pendingRotation && { pendingRotation }),
    })
  })
}

/** The columns of a key policy. */
export function policyColumns({ text, principalIds }: KeyPolicy) {
  return { policy: text, policy_principals: JSON.stringify(Object.fromEntries(principalIds)) }
}

/** @throws Error naming the row, if it is no kind of key. */
export function kindOf(row: Pick<KeyRow, 'spec' | 'usage'>, keyId: string): KeyKind {
  return inRow(`key ${keyId}`, () => {
    const spec = oneOf(Object.keys(KEY_SPECS) as KeySpec[], row.spec, 'spec')
    return { spec, usage: oneOf<KeyUsage>(keySpecRow(spec).usages, row.usage, 'usage') }
  })
}

/** @throws Error naming the row, if it cannot be an alias. */
export function aliasOf(row: AliasRow): Alias {
  return inRow(`alias ${row.account} ${row.region} ${row.name}`, () => {
    const place = placeOf(row)
    check(isAliasName(row.name), 'name')
    check(isKeyId(row.target_key_id), 'target_key_id')
    return Object.freeze({
      ...place,
      name: row.name,
      arn: aliasArn(place, row.name),
      targetKeyId: row.target_key_id,
      createdMs: whole(row.created_ms, 'created_ms'),
      updatedMs: whole(row.updated_ms, 'updated_ms'),
    })
  })
}

/** @throws Error naming the row, if it cannot be a tag. */
export function tagOf(row: TagRow): Tag {
  return inRow(`tag of key ${row.key_id}`, () => {
    check(typeof row.tag_key === 'string' && row.tag_key !== '', 'tag_key')
    check(typeof row.tag_value === 'string', 'tag_value')
    return { key: row.tag_key, value: row.tag_value }
  })
}

/** @throws Error naming the row, if it cannot be an intent. */
export function intentOf(row: IntentRow): Intent {
  return inRow(`intent ${row.intent_id}`, () => {
    check(isKeyId(row.key_id), 'key_id')
    const { intent_id: intentId, key_id: keyId } = row
    const intent = { intentId, keyId, createdMs: whole(row.created_ms, 'created_ms') }
    const kind = oneOf(INTENT_KINDS, row.kind, 'kind')
    if (kind === 'destroy') return { ...intent, kind }
    const { backing_key_id: id, number, suite, material_id, wrapping_key_id: wrappingKeyId } = row
    if (id === null || number === null || suite === null || material_id === null) {
      throw new Error('it names no backing key')
    }
    const isImported = kind === 'import' || kind === 'remove'
    const present = isImported ? Number(kind === 'import') : null
    const material = { present, pending_rotation: 0, public_key: null }
    const backingKey = backingKeyOf({ ...row, id, number, suite, material_id, ...material })
    if (kind !== 'import') return { ...intent, kind, backingKey }
    if (wrappingKeyId === null) throw new Error('it names no wrapping key')
    return { ...intent, kind, backingKey, wrappingKeyId }
  })
}

/** The columns of an intent to make a backing key, or to destroy a key. */
export function intentRow(intent: Intent): IntentRow {
  const backingKey = intent.kind === 'destroy' ? undefined : intent.backingKey
  return {
    intent_id: intent.intentId,
    key_id: intent.keyId,
    kind: intent.kind,
    created_ms: intent.createdMs,
    backing_key_id: backingKey?.id ?? null,
    number: backingKey?.number ?? null,
    suite: backingKey === undefined ? null : (backingKey.suite ?? NO_SUITE),
    material_id: backingKey?.materialId ?? null,
    rotation_type: backingKey?.rotationType ?? null,
    valid_to_ms: backingKey?.imported?.validToMs ?? null,
    description: backingKey?.imported?.description ?? null,
    wrapping_key_id: intent.kind === 'import' ? intent.wrappingKeyId : null,
  }
}

/** The columns of a backing key, which no rotation is pending for. */
export function backingKeyRow(keyId: string, backingKey: BackingKey): BackingKeyRow {
  const { imported } = backingKey
  return {
    id: backingKey.id,
    key_id: keyId,
    number: backingKey.number,
    suite: backingKey.suite ?? NO_SUITE,
    material_id: backingKey.materialId,
    created_ms: backingKey.createdMs,
    rotation_type: backingKey.rotationType ?? null,
    public_key: backingKey.publicKey ?? null,
    present: imported === undefined ? null : Number(imported.isPresent),
    valid_to_ms: imported?.validToMs ?? null,
    description: imported?.description ?? null,
    pending_rotation: 0,
  }
}

function backingKeyOf(row: BackingKeyRow): BackingKey {
  check(/^[0-9a-f]{32}$/.test(row.id), 'backing key id')
  check(/^[0-9a-f]{64}$/.test(row.material_id), 'material_id')
  const { rotation_type: type, present } = row
  return Object.freeze({
    id: row.id,
    number: whole(row.number, 'number'),
    suite: row.suite === NO_SUITE ? undefined : oneOf(SUITES, row.suite, 'suite'),
    publicKey: row.public_key === null ? undefined : Buffer.from(row.public_key),
    materialId: row.material_id,
    createdMs: whole(row.created_ms, 'created_ms'),
    rotationType: type === null ? undefined : oneOf(ROTATION_TYPES, type, 'rotation_type'),
    ...(present !== null && { imported: importedOf(row, present) }),
  })
}

function importedOf(row: BackingKeyRow, present: number): ImportedMaterial {
  const { valid_to_ms: validTo, description } = row
  return Object.freeze({
    isPresent: oneOf([0, 1], present, 'present') === 1,
    validToMs: validTo === null ? undefined : whole(validTo, 'valid_to_ms'),
    description: description ?? '',
  })
}

function policyOf({ policy, policy_principals: principals }: KeyRow): KeyPolicy {
  check(typeof policy === 'string' && policy !== '', 'policy')
  const ids = Object.entries(JSON.parse(principals) as Record<string, unknown>)
  check(
    ids.every(([, id]) => typeof id === 'string'),
    'policy_principals',
  )
  return Object.freeze({ text: policy, principalIds: new Map(ids as [string, string][]) })
}

function scheduleOf(row: KeyRow): RotationSchedule | undefined {
  const { schedule_period_in_days: period, schedule_next_ms: next } = row
  if (period === null && next === null) return undefined
  return Object.freeze({
    periodInDays: days(period, 'schedule_period_in_days'),
    nextMs: whole(next, 'schedule_next_ms'),
  })
}

function placeOf({ account, region }: { account: string; region: string }) {
  check(/^[0-9]{12}$/.test(account), 'account')
  check(typeof region === 'string' && region !== '', 'region')
  return { region, account }
}

function days(value: unknown, column: string): number {
  const number = whole(value, column)
  check(number > 0, column)
  return number
}

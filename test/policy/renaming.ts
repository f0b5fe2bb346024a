/**
 * Renames everybody and everything of the small world, the same name by the same one everywhere: in
 * policies, grants, bindings and requests. Wildcards of the generated policies still fit.
 */

import { A, B } from './world.ts'

/** Accounts change places, others have new names of the shapes that patterns look for. */
const NAMES: readonly (readonly [string, string])[] = [
  [A, B],
  [B, A],
  ['AIDAALICE', 'AIDAKLARA'],
  ['AIDABOB', 'AIDAJIM'],
  ['AIDACAROL', 'AIDAALICE'],
  ['AROAAPP', 'AROAOPS'],
  ['AROAOPS', 'AROAAPP'],
  ['alice', 'anice'],
  ['bob', 'rob'],
  ['role/team/app', 'role/team/ops'],
  ['role/ops', 'role/app'],
  ['assumed-role/app', 'assumed-role/ops'],
  ['assumed-role/ops', 'assumed-role/app'],
  ['1234abcd', '8765dcba'],
  ['backup.amazonaws.com', 'logs.amazonaws.com'],
  ['id.example', 'who.example'],
]

const NEW: ReadonlyMap<string, string> = new Map(NAMES)
const OLD = new RegExp(NAMES.map(([old]) => old.replaceAll('.', '\\.')).join('|'), 'g')

/** A value with every name in it renamed; numbers and functions stay what they are. */
export function renamed<T>(value: T): T {
  return rename(value) as T
}

function rename(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(OLD, (old) => NEW.get(old) ?? old)
  if (Array.isArray(value)) return value.map(rename)
  if (value instanceof Map) return new Map([...value].map(rename) as [unknown, unknown][])
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, rename(each)]))
}

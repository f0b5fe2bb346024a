/** Which keys a call has used, for GetKeyLastUsage. */

import type { Key } from '../model/key.ts'
import { isUsingOperation, type KeyUse } from '../model/usage/key-use.ts'
import type { AnyOperation } from '../operations/operation.ts'
import type { Store } from '../store/store.ts'

/** By operation, its needs that are keys: kept, since every call asks for them. */
const used = new Map<string, readonly string[]>()

/** Notes, in memory, that a call which has succeeded used the keys of its needs. */
export function noteUses(
  { lastUses }: Store,
  operation: Pick<AnyOperation, 'name' | 'needs'>,
  given: Readonly<Record<string, unknown>>,
  call: Omit<KeyUse, 'operation'>,
): void {
  const { name } = operation
  if (!isUsingOperation(name)) return
  for (const need of keysOf(operation)) {
    lastUses.note((given[need] as Key).keyId, { operation: name, ...call })
  }
}

function keysOf({ name, needs }: Pick<AnyOperation, 'name' | 'needs'>): readonly string[] {
  const known = used.get(name)
  if (known !== undefined) return known
  const keys = Object.keys(needs).filter((need) => needs[need]?.kind === 'key')
  used.set(name, keys)
  return keys
}

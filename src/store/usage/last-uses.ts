/**
 * The last use of each key. It is noted in memory, so that no call waits for it, and written by a
 * job and before the service stops: a crash loses what was noted since the last round of the jobs.
 */

import { setImmediate } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import { isUsingOperation, type KeyUse } from '../../model/usage/key-use.ts'
import type { Tables } from '../rows.ts'

/** The last uses of keys. */
export interface LastUseStore {
  /** Notes a use in memory. */
  note(keyId: string, use: KeyUse): void
  /** The last use of a key, written or not. */
  find(keyId: string): Promise<KeyUse | undefined>
  /** When uses were first kept, in milliseconds since the epoch; 0 if they always were. */
  sinceMs(): Promise<number>
  /** Writes what has been noted; what cannot be written stays noted. */
  flush(): Promise<void>
}

/** Rows in one statement: it keeps calls waiting for a few milliseconds at most. */
const ROWS_AT_ONCE = 100

/** The last uses in a database. */
export function lastUseStore(db: Kysely<Tables>): LastUseStore {
  /** By key id; no more than there are keys. */
  const noted = new Map<string, KeyUse>()
  let last: Promise<void> = Promise.resolve()

  async function flush(): Promise<void> {
    const uses = [...noted]
    for (let at = 0; at < uses.length; at += ROWS_AT_ONCE) {
      const some = uses.slice(at, at + ROWS_AT_ONCE)
      await write(db, some)
      for (const [keyId, use] of some) if (noted.get(keyId) === use) noted.delete(keyId)
      await setImmediate()
    }
  }

  return {
    note(keyId, use) {
      noted.set(keyId, use)
    },

    async find(keyId) {
      const use = noted.get(keyId)
      const written = await read(db, keyId)
      if (use === undefined || written === undefined) return use ?? written
      return written.usedMs > use.usedMs ? written : use
    },

    async sinceMs() {
      const row = await db.selectFrom('installation').select('uses_since_ms').executeTakeFirst()
      return row?.uses_since_ms ?? 0
    },

    flush() {
      last = last.then(flush, flush)
      return last
    },
  }
}

async function read(db: Kysely<Tables>, keyId: string): Promise<KeyUse | undefined> {
  const row = await db
    .selectFrom('last_uses')
    .selectAll()
    .where('key_id', '=', keyId)
    .executeTakeFirst()
  if (row === undefined) return undefined
  const { operation, used_ms: usedMs, request_id: requestId } = row
  if (!isUsingOperation(operation)) throw new Error(`key ${keyId} was last used by ${operation}`)
  return { operation, usedMs, requestId }
}

/** Another process may have noted a later use of the same key. */
async function write(
  db: Kysely<Tables>,
  uses: readonly (readonly [string, KeyUse])[],
): Promise<void> {
  await db
    .insertInto('last_uses')
    .values(
      uses.map(([keyId, { operation, usedMs, requestId }]) => ({
        key_id: keyId,
        operation,
        used_ms: usedMs,
        request_id: requestId,
      })),
    )
    .onConflict((conflict) =>
      conflict
        .column('key_id')
        .doUpdateSet(({ ref }) => ({
          operation: ref('excluded.operation'),
          used_ms: ref('excluded.used_ms'),
          request_id: ref('excluded.request_id'),
        }))
        .whereRef('excluded.used_ms', '>=', 'last_uses.used_ms'),
    )
    .execute()
}

/**
 * The last use of each key.
 *
 * `last_uses`: one row for each key that has been used. `request_id`: of the call, as the audit
 * record of the use has it.
 * `installation`: `uses_since_ms` is when uses were first kept, 0 in a store that has always kept
 * them.
 */

import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Adds the table and the column. */
export const lastUsesMigration: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('last_uses')
      .addColumn('key_id', 'text', (column) => column.primaryKey().notNull())
      .addColumn('operation', 'text', (column) => column.notNull())
      .addColumn('used_ms', 'bigint', (column) => column.notNull())
      .addColumn('request_id', 'text', (column) => column.notNull())
      .execute()
    await db.schema
      .alterTable('installation')
      .addColumn('uses_since_ms', 'bigint', (column) => column.notNull().defaultTo(0))
      .execute()
    // Keys that are there already may have been used before.
    await sql`update installation set uses_since_ms = ${Date.now()}`.execute(db)
  },
}

/**
 * Imported key material.
 *
 * `backing_keys`: `present` is null for material that is not imported, else whether it is in the
 * token; `pending_rotation` is 1 while it waits for RotateKeyOnDemand.
 * `intents`: what will hold of the material when an import ends.
 * `wrapping_keys`: key pairs of the token that material is wrapped under. Of the import token a
 * SHA-256 digest is kept. `used_ms`: spent by an import. `destroyed_ms`: not in the token any more;
 * the row stays for a while, so that an old token is known to be old.
 */

import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Adds the columns and the table. */
export const importMigration: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const backingKeys = db.schema.alterTable('backing_keys')
    await backingKeys.addColumn('present', 'integer').execute()
    await backingKeys.addColumn('valid_to_ms', 'bigint').execute()
    await backingKeys.addColumn('description', 'text').execute()
    await backingKeys
      .addColumn('pending_rotation', 'integer', (column) => column.notNull().defaultTo(0))
      .execute()
    await db.schema
      .createIndex('backing_keys_valid_to_ms')
      .on('backing_keys')
      .columns(['valid_to_ms'])
      .execute()
    const intents = db.schema.alterTable('intents')
    await intents.addColumn('valid_to_ms', 'bigint').execute()
    await intents.addColumn('description', 'text').execute()
    await intents.addColumn('wrapping_key_id', 'text').execute()
    await makeWrappingKeys(db)
  },
}

async function makeWrappingKeys(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('wrapping_keys')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('key_id', 'text', (column) => column.notNull())
    .addColumn('algorithm', 'text', (column) => column.notNull())
    .addColumn('spec', 'text', (column) => column.notNull())
    .addColumn('token_digest', 'text', (column) => column.notNull())
    .addColumn('created_ms', 'bigint', (column) => column.notNull())
    .addColumn('valid_to_ms', 'bigint', (column) => column.notNull())
    .addColumn('failures', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('used_ms', 'bigint')
    .addColumn('destroyed_ms', 'bigint')
    .execute()
  await db.schema
    .createIndex('wrapping_keys_valid_to_ms')
    .on('wrapping_keys')
    .columns(['destroyed_ms', 'valid_to_ms'])
    .execute()
}

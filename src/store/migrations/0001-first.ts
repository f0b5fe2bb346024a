/**
 * The first schema. Times are milliseconds since the epoch; ids of backing keys are CKA_IDs as 32
 * hex digits.
 *
 * `keys`: a destroyed key's row stays as a tombstone, so that its id is never used again.
 * `backing_keys`: acknowledged material only; a destroyed key's stay on record.
 * `intents`: changes under way that span token and store, at most one for each key.
 * `abandoned_backing_keys`: ids given up before they were acknowledged; never used again.
 * `quarantine`: objects of the token that nothing here explains, until an operator does.
 */

import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Makes the tables. There is no way down: an older keyslot refuses a newer database. */
export const firstMigration: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await makeKeys(db)
    await makeNames(db)
    await makeIntents(db)
    await makeRecords(db)
  },
}

async function makeKeys(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('keys')
    .addColumn('key_id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('account', 'text', (column) => column.notNull())
    .addColumn('region', 'text', (column) => column.notNull())
    .addColumn('description', 'text', (column) => column.notNull())
    .addColumn('spec', 'text', (column) => column.notNull())
    .addColumn('usage', 'text', (column) => column.notNull())
    .addColumn('origin', 'text', (column) => column.notNull())
    .addColumn('manager', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('created_ms', 'bigint', (column) => column.notNull())
    .addColumn('deletion_ms', 'bigint')
    .addColumn('schedule_period_in_days', 'integer')
    .addColumn('schedule_next_ms', 'bigint')
    .addColumn('destroyed_ms', 'bigint')
    .addCheckConstraint(
      'deletion_date_while_pending',
      sql`(state = 'PendingDeletion') = (deletion_ms is not null)`,
    )
    .addCheckConstraint(
      'schedule_whole',
      sql`(schedule_period_in_days is null) = (schedule_next_ms is null)`,
    )
    .execute()
  // Counts and pages without reading the rows that are left out.
  await index(db, 'keys', ['account', 'region', 'destroyed_ms', 'key_id'])
  await index(db, 'keys', ['state', 'deletion_ms'])
  await index(db, 'keys', ['state', 'schedule_next_ms'])
  await db.schema
    .createTable('backing_keys')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('key_id', 'text', (column) => column.notNull().references('keys.key_id'))
    .addColumn('number', 'integer', (column) => column.notNull())
    .addColumn('suite', 'integer', (column) => column.notNull())
    .addColumn('material_id', 'text', (column) => column.notNull().unique())
    .addColumn('created_ms', 'bigint', (column) => column.notNull())
    .addColumn('rotation_type', 'text')
    .addUniqueConstraint('backing_keys_numbered', ['key_id', 'number'])
    .execute()
}

async function makeNames(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('aliases')
    .addColumn('account', 'text', (column) => column.notNull())
    .addColumn('region', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('target_key_id', 'text', (column) => column.notNull().references('keys.key_id'))
    .addColumn('created_ms', 'bigint', (column) => column.notNull())
    .addColumn('updated_ms', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('aliases_named', ['account', 'region', 'name'])
    .execute()
  await index(db, 'aliases', ['target_key_id', 'name'])
  await db.schema
    .createTable('tags')
    .addColumn('key_id', 'text', (column) => column.notNull().references('keys.key_id'))
    .addColumn('tag_key', 'text', (column) => column.notNull())
    .addColumn('tag_value', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('tags_named', ['key_id', 'tag_key'])
    .execute()
}

async function makeIntents(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('intents')
    .addColumn('intent_id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('key_id', 'text', (column) => column.notNull().unique().references('keys.key_id'))
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('created_ms', 'bigint', (column) => column.notNull())
    .addColumn('backing_key_id', 'text', (column) => column.unique())
    .addColumn('number', 'integer')
    .addColumn('suite', 'integer')
    .addColumn('material_id', 'text')
    .addColumn('rotation_type', 'text')
    .addCheckConstraint(
      'backing_key_unless_destroy',
      sql`(kind = 'destroy') = (backing_key_id is null)`,
    )
    .execute()
  await db.schema
    .createTable('abandoned_backing_keys')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('key_id', 'text', (column) => column.notNull())
    .addColumn('abandoned_ms', 'bigint', (column) => column.notNull())
    .execute()
}

async function makeRecords(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('quarantine')
    .addColumn('backing_key_id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('found_ms', 'bigint', (column) => column.notNull())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('released_ms', 'bigint')
    .execute()
  await db.schema
    .createTable('message_counts')
    .addColumn('backing_key_id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('reserved', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('installation')
    // The only row is row 1.
    .addColumn('id', 'integer', (column) => column.primaryKey().notNull().check(sql`id = 1`))
    .addColumn('canary_id', 'text', (column) => column.notNull())
    .addColumn('created_ms', 'bigint', (column) => column.notNull())
    .execute()
}

async function index(db: Kysely<unknown>, table: string, columns: string[]): Promise<void> {
  const name = [table, ...columns].join('_')
  await db.schema.createIndex(name).on(table).columns(columns).execute()
}

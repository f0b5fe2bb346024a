/**
 * Accounts, and who is in them.
 *
 * `principals`: users and roles. What is always read and changed together (tags, policies, trust)
 * is one JSON document, `details`, so that a copy in memory is of one moment.
 * `access_keys`: `sealed_secret` is a ciphertext of keyslot's own key, in base64.
 * `identity_providers`: `details` as above.
 */

import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Makes the tables. */
export const identitiesMigration: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('accounts')
      .addColumn('account', 'text', (column) => column.primaryKey().notNull())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('created_ms', 'bigint', (column) => column.notNull())
      .execute()
    await db.schema
      .createTable('principals')
      .addColumn('principal_id', 'text', (column) => column.primaryKey().notNull())
      .addColumn('account', 'text', (column) => column.notNull().references('accounts.account'))
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('folded_name', 'text', (column) => column.notNull())
      .addColumn('path', 'text', (column) => column.notNull())
      .addColumn('created_ms', 'bigint', (column) => column.notNull())
      .addColumn('details', 'text', (column) => column.notNull())
      .addUniqueConstraint('principals_named', ['account', 'kind', 'folded_name'])
      .execute()
    await db.schema
      .createTable('access_keys')
      .addColumn('access_key_id', 'text', (column) => column.primaryKey().notNull())
      .addColumn('account', 'text', (column) => column.notNull().references('accounts.account'))
      .addColumn('principal_id', 'text', (column) => column.references('principals.principal_id'))
      .addColumn('sealed_secret', 'text', (column) => column.notNull())
      .addColumn('status', 'text', (column) => column.notNull())
      .addColumn('created_ms', 'bigint', (column) => column.notNull())
      .execute()
    await db.schema
      .createIndex('access_keys_account_principal_id')
      .on('access_keys')
      .columns(['account', 'principal_id'])
      .execute()
    await db.schema
      .createTable('identity_providers')
      .addColumn('arn', 'text', (column) => column.primaryKey().notNull())
      .addColumn('account', 'text', (column) => column.notNull().references('accounts.account'))
      .addColumn('created_ms', 'bigint', (column) => column.notNull())
      .addColumn('details', 'text', (column) => column.notNull())
      .execute()
    await db.schema
      .createIndex('identity_providers_account')
      .on('identity_providers')
      .columns(['account'])
      .execute()
  },
}

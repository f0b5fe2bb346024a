/**
 * The account under which a grant was made, among what tells grants apart when a call is decided:
 * a service has what one account has granted it, and not what another has.
 */

import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Makes the index anew with the account in it, so that still no row need be read. */
export const issuingAccountsMigration: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema.dropIndex('grants_of_grantee').execute()
    await db.schema
      .createIndex('grants_of_grantee')
      .on('grants')
      .columns([
        'key_id',
        'grantee_arn',
        'constraint_pair',
        'grantee_id',
        'issuing_account',
        'operations',
        'constraints',
        'grant_id',
      ])
      .execute()
  },
}

/**
 * Keys of other kinds than for symmetric encryption.
 *
 * `backing_keys.public_key`: the public half of a pair as SubjectPublicKeyInfo in DER, which the
 * token does not keep. `suite` is 0 where there is none.
 */

import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Adds the column. */
export const keyKindsMigration: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema.alterTable('backing_keys').addColumn('public_key', 'blob').execute()
  },
}

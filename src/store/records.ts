/** What the store keeps besides keys and names: the pairing with the token, and counts. */

import { type Kysely, sql } from 'kysely'
import type { Tables } from './rows.ts'
import type { KnownBackingKey, Store } from './store.ts'

type Standing = KnownBackingKey['standing']

/** The records of a database. */
export function recordStore(
  db: Kysely<Tables>,
): Pick<Store, 'installation' | 'install' | 'backingKeys' | 'reserveMessages'> {
  return {
    async installation() {
      const row = await db.selectFrom('installation').selectAll().executeTakeFirst()
      return row && { canaryId: row.canary_id, createdMs: row.created_ms }
    },

    async install({ canaryId, createdMs }) {
      await db
        .insertInto('installation')
        .values({ id: 1, canary_id: canaryId, created_ms: createdMs })
        .execute()
    },

    async backingKeys({ after = '', limit }) {
      // An id stands in exactly one of the four tables at any time.
      const rows = await acknowledged(db, after, limit)
        .unionAll(intended(db, after, limit))
        .unionAll(abandoned(db, after, limit))
        .unionAll(released(db, after, limit))
        .orderBy('id')
        .limit(limit)
        .execute()
      return rows.map(({ id, key_id, standing }) => ({ id, keyId: key_id ?? undefined, standing }))
    },

    async reserveMessages(backingKeyId, messages) {
      const { reserved } = await db
        .insertInto('message_counts')
        .values({ backing_key_id: backingKeyId, reserved: messages })
        .onConflict((conflict) =>
          conflict.column('backing_key_id').doUpdateSet({
            reserved: sql<number>`message_counts.reserved + excluded.reserved`,
          }),
        )
        .returning('reserved')
        .executeTakeFirstOrThrow()
      return reserved
    },
  }
}

// Each of these is cut to the page itself: SQLite would sort a whole union for every page.

function acknowledged(db: Kysely<Tables>, after: string, limit: number) {
  const page = db
    .selectFrom('backing_keys')
    .innerJoin('keys', 'keys.key_id', 'backing_keys.key_id')
    .leftJoin('intents', (join) =>
      join.onRef('intents.key_id', '=', 'keys.key_id').on('intents.kind', '=', 'destroy'),
    )
    // Material that is imported again, or removed, is its intent's.
    .leftJoin('intents as change', 'change.backing_key_id', 'backing_keys.id')
    .where('change.intent_id', 'is', null)
    .select([
      'backing_keys.id as id',
      sql<string | null>`backing_keys.key_id`.as('key_id'),
      sql<Standing>`case
        when keys.destroyed_ms is not null then 'destroyed'
        when backing_keys.present = 0 then 'removed'
        when intents.intent_id is not null then 'destroying'
        else 'live' end`.as('standing'),
    ])
    .where('backing_keys.id', '>', after)
    .orderBy('backing_keys.id')
    .limit(limit)
  return db.selectFrom(page.as('acknowledged')).selectAll()
}

function intended(db: Kysely<Tables>, after: string, limit: number) {
  const page = db
    .selectFrom('intents')
    .select([
      sql<string>`backing_key_id`.as('id'),
      'key_id',
      sql<Standing>`case kind when 'remove' then 'destroying' else 'intended' end`.as('standing'),
    ])
    .where('backing_key_id', '>', after)
    .orderBy('backing_key_id')
    .limit(limit)
  return db.selectFrom(page.as('intended')).selectAll()
}

function abandoned(db: Kysely<Tables>, after: string, limit: number) {
  const page = db
    .selectFrom('abandoned_backing_keys')
    .select(['id', 'key_id', sql<Standing>`'abandoned'`.as('standing')])
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
  return db.selectFrom(page.as('abandoned')).selectAll()
}

function released(db: Kysely<Tables>, after: string, limit: number) {
  const page = db
    .selectFrom('quarantine')
    .select([
      'backing_key_id as id',
      sql<string | null>`null`.as('key_id'),
      sql<Standing>`'released'`.as('standing'),
    ])
    .where('released_ms', 'is not', null)
    .where('backing_key_id', '>', after)
    .orderBy('backing_key_id')
    .limit(limit)
  return db.selectFrom(page.as('released')).selectAll()
}

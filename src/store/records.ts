/** What the store keeps besides keys and names: the pairing with the token, and counts. */

import { type Kysely, sql } from 'kysely'
import type { Tables } from './rows.ts'
import type { KnownBackingKey, Store } from './store.ts'

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
      return await db
        .selectFrom(everyBackingKey(db).as('known'))
        .select(['id', 'key_id as keyId', 'standing'])
        .where('id', '>', after)
        .orderBy('id')
        .limit(limit)
        .execute()
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

type Standing = KnownBackingKey['standing']

/** An id stands in exactly one of the three tables at any time. */
function everyBackingKey(db: Kysely<Tables>) {
  return db
    .selectFrom('backing_keys')
    .innerJoin('keys', 'keys.key_id', 'backing_keys.key_id')
    .leftJoin('intents', (join) =>
      join.onRef('intents.key_id', '=', 'keys.key_id').on('intents.kind', '=', 'destroy'),
    )
    .select(({ ref }) => [
      'backing_keys.id',
      'backing_keys.key_id',
      sql<Standing>`case
        when ${ref('keys.destroyed_ms')} is not null then 'destroyed'
        when ${ref('intents.intent_id')} is not null then 'destroying'
        else 'live' end`.as('standing'),
    ])
    .unionAll(
      db
        .selectFrom('intents')
        .where('backing_key_id', 'is not', null)
        .select([
          sql<string>`backing_key_id`.as('id'),
          'key_id',
          sql<Standing>`'intended'`.as('standing'),
        ]),
    )
    .unionAll(
      db
        .selectFrom('abandoned_backing_keys')
        .select(['id', 'key_id', sql<Standing>`'abandoned'`.as('standing')]),
    )
}

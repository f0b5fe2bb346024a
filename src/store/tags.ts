/** The tags. */

import type { Kysely } from 'kysely'
import { fail } from '../model/failures.ts'
import { keyIsThere } from './keys.ts'
import { type Tables, tagOf } from './rows.ts'
import type { TagStore } from './store.ts'

/** The tags of a database. */
export function tagStore(db: Kysely<Tables>): TagStore {
  return {
    async list(keyId, { after = '', limit }) {
      const rows = await db
        .selectFrom('tags')
        .selectAll()
        .where('key_id', '=', keyId)
        .where('tag_key', '>', after)
        .orderBy('tag_key')
        .limit(limit)
        .execute()
      return rows.map(tagOf)
    },

    put: (keyId, tags, most) =>
      db.transaction().execute(async (transaction) => {
        if (!(await keyIsThere(transaction, keyId))) {
          fail('NotFoundException', `Key '${keyId}' does not exist`)
        }
        const held = await transaction
          .selectFrom('tags')
          .select('tag_key')
          .where('key_id', '=', keyId)
          .execute()
        const after = new Set([...held.map((row) => row.tag_key), ...tags.map(({ key }) => key)])
        if (after.size > most) return false
        for (const { key, value } of tags) {
          await transaction
            .insertInto('tags')
            .values({ key_id: keyId, tag_key: key, tag_value: value })
            .onConflict((conflict) =>
              conflict.columns(['key_id', 'tag_key']).doUpdateSet({ tag_value: value }),
            )
            .execute()
        }
        return true
      }),

    async remove(keyId, tagKeys) {
      if (tagKeys.length === 0) return
      await db
        .deleteFrom('tags')
        .where('key_id', '=', keyId)
        .where('tag_key', 'in', tagKeys)
        .execute()
    },
  }
}

/** A database of an earlier keyslot, brought up to date. */

import { DatabaseSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import { Migrator } from 'kysely/migration'
import { expect, test } from 'vitest'
import { openStore } from '../../src/store/database.ts'
import { firstMigration } from '../../src/store/migrations/0001-first.ts'
import { sqliteDialect } from '../../src/store/sqlite/sqlite.ts'
import { temporaryDirectory } from './fixture.ts'

test('a key from before there were key policies has the default one, and no known use', async () => {
  const { directory, remove } = temporaryDirectory()
  const path = `${directory}/keyslot.db`
  const database = new DatabaseSync(path)
  const db = new Kysely({ dialect: sqliteDialect(database) })
  const getMigrations = async () => ({ '0001-first': firstMigration })
  await new Migrator({ db, provider: { getMigrations } }).migrateToLatest()
  database.exec(`
    pragma application_id = 0x4b534c54;
    insert into keys values ('11112222-3333-4444-5555-666677778888', '444455556666',
      'eu-central-1', '', 'SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT', 'AWS_KMS', 'CUSTOMER',
      'Enabled', 1, null, null, null, null);
    insert into backing_keys values ('${'0'.repeat(32)}', '11112222-3333-4444-5555-666677778888',
      1, 1, '${'0'.repeat(64)}', 1, null);
    insert into installation values (1, '${'1'.repeat(32)}', 1);
  `)
  const beforeMs = Date.now()
  await db.destroy()
  const store = await openStore({ path })
  const key = await store.keys.find('11112222-3333-4444-5555-666677778888')
  expect(JSON.parse(key?.policy.text ?? '')).toEqual({
    Version: '2012-10-17',
    Id: 'key-default-1',
    Statement: [
      {
        Sid: 'Enable IAM User Permissions',
        Effect: 'Allow',
        Principal: { AWS: 'arn:aws:iam::444455556666:root' },
        Action: 'kms:*',
        Resource: '*',
      },
    ],
  })
  expect(key?.policy.principalIds).toEqual(new Map())
  // What its keys were used for before is not known.
  expect(await store.lastUses.find('11112222-3333-4444-5555-666677778888')).toBeUndefined()
  expect(await store.lastUses.sinceMs()).toBeGreaterThanOrEqual(beforeMs)
  await store.close()
  remove()
})

/**
 * Key policies and grants.
 *
 * `keys.policy`: the JSON document as it was put. `keys.policy_principals`: a JSON object of the
 * ARNs that it names and the unique ids of the users and roles which these stood for.
 * `grants`: `grantee_id` and `retiring_id` are unique ids; `operations` is a JSON list;
 * `constraints` a JSON object of lists of pairs; `constraint_pair` one of those pairs, by which a
 * grant is found, or empty; `named_as` what two requests of the same name have in common.
 */

import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Adds the columns and the table; keys that are there get the default key policy. */
export const policiesAndGrantsMigration: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await addPolicies(db)
    await makeGrants(db)
  },
}

async function addPolicies(db: Kysely<unknown>): Promise<void> {
  const column = (name: string, value: string) =>
    db.schema
      .alterTable('keys')
      .addColumn(name, 'text', (added) => added.notNull().defaultTo(value))
      .execute()
  await column('policy', '')
  await column('policy_principals', '{}')
  // As it was on the day of this migration, whatever becomes of the default later.
  const [before, after] = DEFAULT_POLICY.split('ACCOUNT')
  await sql`update keys set policy = ${before} || account || ${after}`.execute(db)
}

const DEFAULT_POLICY = `{
  "Version": "2012-10-17",
  "Id": "key-default-1",
  "Statement": [
    {
      "Sid": "Enable IAM User Permissions",
      "Effect": "Allow",
      "Principal": {
        "AWS": "arn:aws:iam::ACCOUNT:root"
      },
      "Action": "kms:*",
      "Resource": "*"
    }
  ]
}`

async function makeGrants(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('grants')
    .addColumn('grant_id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('key_id', 'text', (column) => column.notNull().references('keys.key_id'))
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('grantee_arn', 'text', (column) => column.notNull())
    .addColumn('grantee_id', 'text')
    .addColumn('retiring_arn', 'text')
    .addColumn('retiring_id', 'text')
    .addColumn('issuing_account', 'text', (column) => column.notNull())
    .addColumn('operations', 'text', (column) => column.notNull())
    .addColumn('constraints', 'text', (column) => column.notNull())
    .addColumn('constraint_pair', 'text', (column) => column.notNull())
    .addColumn('token_key', 'text', (column) => column.notNull())
    .addColumn('named_as', 'text')
    .addColumn('created_ms', 'bigint', (column) => column.notNull())
    .addUniqueConstraint('grants_named', ['key_id', 'named_as'])
    .execute()
  await index(db, 'of_key', ['key_id', 'grant_id'])
  // All that tells grants apart when a call is decided, so that the rows need not be read.
  await index(db, 'of_grantee', [
    'key_id',
    'grantee_arn',
    'constraint_pair',
    'grantee_id',
    'operations',
    'constraints',
    'grant_id',
  ])
  await index(db, 'retirable', ['retiring_arn', 'grant_id'])
}

async function index(db: Kysely<unknown>, name: string, columns: string[]): Promise<void> {
  await db.schema.createIndex(`grants_${name}`).on('grants').columns(columns).execute()
}

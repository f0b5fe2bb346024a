/** Opens the metadata store: makes the database if there is none, and brings its schema up. */

import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  realpathSync,
  statSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { aliasStore } from './aliases.ts'
import { hotCopies } from './copies/hot-copies.ts'
import { grantStore } from './grants/grants.ts'
import { identityStore } from './identities/identities.ts'
import { importStore } from './import/imports.ts'
import { intentStore } from './intents.ts'
import { keyStore } from './keys.ts'
import { firstMigration } from './migrations/0001-first.ts'
import { policiesAndGrantsMigration } from './migrations/0002-policies-and-grants.ts'
import { identitiesMigration } from './migrations/0003-identities.ts'
import { keyKindsMigration } from './migrations/0004-key-kinds.ts'
import { importMigration } from './migrations/0005-import.ts'
import { lastUsesMigration } from './migrations/0006-last-uses.ts'
import { issuingAccountsMigration } from './migrations/0007-issuing-accounts.ts'
import { recordStore } from './records.ts'
import type { Tables } from './rows.ts'
import { CommitWatch } from './sqlite/commits.ts'
import { sqliteDialect } from './sqlite/sqlite.ts'
import type { Store } from './store.ts'
import { tagStore } from './tags.ts'
import { lastUseStore } from './usage/last-uses.ts'

/** Where the store is. */
export interface StoreSettings {
  /** The database file; its directory is made if there is none. */
  readonly path: string
}

/** In order: a name, once released, is never changed or moved. */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-first': firstMigration,
  '0002-policies-and-grants': policiesAndGrantsMigration,
  '0003-identities': identitiesMigration,
  '0004-key-kinds': keyKindsMigration,
  '0005-import': importMigration,
  '0006-last-uses': lastUsesMigration,
  '0007-issuing-accounts': issuingAccountsMigration,
}

/** SQLite's mark of whose file it is, `KSLT`; https://sqlite.org/pragma.html#pragma_application_id */
const APPLICATION_ID = 0x4b534c54
/** How long a change waits for one of another process, in milliseconds: those are all short. */
const BUSY_TIMEOUT_MS = 5000
/** How many pages the log may grow to before it is copied into the database: 4 MB. */
const CHECKPOINT_PAGES = 1000

/** The databases that this process has open, by device and inode. */
const open = new Set<string>()

/**
 * Opens the store. A process opens a database once, since SQLite's locks could not tell its
 * connections apart once one of them is closed.
 *
 * @throws Error if the file is not keyslot's, comes from a newer keyslot, or is open already.
 */
export async function openStore({ path }: StoreSettings): Promise<Store> {
  const { file, identity } = prepareFile(path)
  if (open.has(identity)) throw new Error(`the store ${path} is open in this process already`)
  open.add(identity)
  let database: DatabaseSync | undefined
  try {
    database = openDatabase(file)
    const db = new Kysely<Tables>({ dialect: sqliteDialect(database) })
    await migrate(db, database, file)
    return storeOver(db, new CommitWatch(database, file), () => open.delete(identity))
  } catch (error) {
    database?.close()
    open.delete(identity)
    throw error
  }
}

function storeOver(db: Kysely<Tables>, commits: CommitWatch, closed: () => void): Store {
  const copies = hotCopies(() => commits.changed())
  let closing: Promise<void> | undefined
  const close = async () => {
    await db.destroy()
    commits.close()
    closed()
  }
  return {
    keys: keyStore(db, copies),
    aliases: aliasStore(db, copies),
    tags: tagStore(db),
    grants: grantStore(db, copies),
    intents: intentStore(db, copies),
    identities: identityStore(db, copies),
    imports: importStore(db, copies),
    lastUses: lastUseStore(db),
    ...recordStore(db),
    refresh: () => copies.refresh(),
    close() {
      closing ??= close()
      return closing
    },
  }
}

/** Makes sure that there is a file which only its owner may read. */
function prepareFile(path: string): { readonly file: string; readonly identity: string } {
  const directory = dirname(path)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  // A file that is there is not opened here: if it is this process's own database, closing it
  // again would drop SQLite's locks.
  if (!existsSync(path)) {
    closeSync(openSync(path, 'wx', 0o600))
    const handle = openSync(directory, 'r')
    fsyncSync(handle)
    closeSync(handle)
  }
  chmodSync(path, 0o600)
  const { dev, ino } = statSync(path, { bigint: true })
  return { file: realpathSync(path), identity: `${dev}:${ino}` }
}

function openDatabase(file: string): DatabaseSync {
  const database = new DatabaseSync(file, {
    timeout: BUSY_TIMEOUT_MS,
    enableForeignKeyConstraints: true,
    enableDoubleQuotedStringLiterals: false,
    defensive: true,
  })
  const { application_id: applicationId } = { ...database.prepare('pragma application_id').get() }
  const fresh =
    applicationId === 0 && database.prepare('select * from sqlite_schema').get() === undefined
  if (!fresh && applicationId !== APPLICATION_ID) {
    database.close()
    throw new Error(`${file} is a database, but not keyslot's`)
  }
  database.exec(`
    pragma application_id = ${APPLICATION_ID};
    pragma journal_mode = wal;
    pragma synchronous = full;
    pragma fullfsync = on;
    pragma wal_autocheckpoint = ${CHECKPOINT_PAGES};
    pragma trusted_schema = off;
    pragma cell_size_check = on;
  `)
  const { journal_mode: mode } = { ...database.prepare('pragma journal_mode').get() }
  if (mode !== 'wal') {
    database.close()
    throw new Error(`${file} cannot be used in WAL mode, but in mode ${mode}`)
  }
  return database
}

async function migrate(db: Kysely<Tables>, database: DatabaseSync, file: string): Promise<void> {
  const migrated = database.prepare("select 1 from sqlite_schema where name = 'kysely_migration'")
  if (migrated.get() !== undefined) {
    const names = database.prepare('select name from kysely_migration order by name').all()
    const unknown = names.find(({ name }) => !(String(name) in MIGRATIONS))
    if (unknown !== undefined) {
      const what = `this one does not know its migration ${unknown.name}`
      throw new Error(`the store ${file} was made by a newer keyslot: ${what}`)
    }
  }
  const migrator = new Migrator({ db, provider: { getMigrations: async () => MIGRATIONS } })
  const { error } = await migrator.migrateToLatest()
  if (error !== undefined) throw new Error(`cannot migrate the store ${file}`, { cause: error })
}

/**
 * Kysely over `node:sqlite`: one connection, synchronous underneath, whose prepared statements
 * are kept.
 *
 * Every transaction begins IMMEDIATE: a deferred one that reads first and then writes fails with
 * SQLITE_BUSY when another process has written in between, and no waiting cures that.
 */

import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import { fail } from '../../model/failures.ts'

/** How many prepared statements are kept: more than keyslot has queries of fixed shape. */
const STATEMENTS_KEPT = 256

/** The dialect of a database that is open already; destroying the Kysely instance closes it. */
export function sqliteDialect(database: DatabaseSync): Dialect {
  return {
    createDriver: () => sqliteDriver(database),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new TransactionalSqliteAdapter(),
    createIntrospector: (db: Kysely<unknown>) => new SqliteIntrospector(db),
  }
}

/** SQLite's schema changes are transactional; Kysely's own adapter does not make use of it. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

function sqliteDriver(database: DatabaseSync): Driver {
  const connection = new SqliteConnection(database)
  return {
    // Kysely hands out the only connection to one taker at a time, since the adapter says that
    // there are no several.
    init: async () => undefined,
    acquireConnection: async () => connection,
    beginTransaction: async () => database.exec('begin immediate'),
    commitTransaction: async () => database.exec('commit'),
    rollbackTransaction: async () => {
      // A failed commit may have ended the transaction already.
      if (database.isTransaction) database.exec('rollback')
    },
    releaseConnection: async () => undefined,
    destroy: async () => {
      connection.forget()
      database.close()
    },
  }
}

class SqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync
  /** By SQL text, the least recently used first. */
  readonly #statements = new Map<string, Prepared>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    const { statement, answersRows } = this.#prepare(sql)
    const values = parameters.map(inputValue)
    if (answersRows) return { rows: statement.all(...values) as Row[] }
    const { changes } = statement.run(...values)
    return { rows: [], numAffectedRows: BigInt(changes) }
  }

  async *streamQuery<Row>({ sql, parameters }: CompiledQuery): AsyncGenerator<QueryResult<Row>> {
    // A statement of its own: a kept one might be run again while this one is being read.
    const statement = this.#database.prepare(sql)
    for (const row of statement.iterate(...parameters.map(inputValue))) {
      yield { rows: [row as Row] }
    }
  }

  /** Lets go of the prepared statements. */
  forget(): void {
    this.#statements.clear()
  }

  #prepare(sql: string): Prepared {
    const kept = this.#statements.get(sql)
    if (kept !== undefined) {
      this.#statements.delete(sql)
      this.#statements.set(sql, kept)
      return kept
    }
    const statement = this.#database.prepare(sql)
    const prepared = { statement, answersRows: statement.columns().length > 0 }
    this.#statements.set(sql, prepared)
    if (this.#statements.size > STATEMENTS_KEPT) {
      const [oldest] = this.#statements.keys()
      if (oldest !== undefined) this.#statements.delete(oldest)
    }
    return prepared
  }
}

interface Prepared {
  readonly statement: StatementSync
  readonly answersRows: boolean
}

function inputValue(value: unknown): SQLInputValue {
  if (typeof value === 'number' || value === null || Buffer.isBuffer(value)) return value
  if (typeof value === 'string') {
    // UTF-8 would fold a lone surrogate into U+FFFD: what is read would not be what was written.
    if (!value.isWellFormed()) fail('ValidationException', 'A text holds a lone surrogate.')
    return value
  }
  throw new Error(`the store has no column for a value of type ${typeof value}`)
}

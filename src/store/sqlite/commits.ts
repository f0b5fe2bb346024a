/**
 * Tells whether another connection, of this process or another, has committed to a SQLite
 * database since it was last asked.
 *
 * The authority is `PRAGMA data_version`, at about 3 µs a time. Most questions are answered
 * before it, at about 1 µs, from the header of the WAL index (the `-shm` file): a commit is
 * visible to other connections exactly from the moment when that header has changed, so a header
 * without a change means that there was no commit. https://sqlite.org/walformat.html#the_wal_index_header
 */

import { closeSync, openSync, readSync } from 'node:fs'
import { endianness } from 'node:os'
import type { DatabaseSync, StatementSync } from 'node:sqlite'

/** The length of one copy of the header, in bytes. */
const HEADER_BYTES = 48
/** The version of the WAL index format, its first 4 bytes. */
const WAL_INDEX_VERSION = 3_007_000
/** Where the header says that it has been initialised. */
const INITIALISED_AT = 12

/**
 * The watch over one database in WAL mode, which must have been read from already.
 *
 * It opens the `-shm` file once more. POSIX locks belong to process and file, not to the
 * descriptor, so that closing this one drops the locks that SQLite holds through another:
 * `close` therefore comes after the database's, and a process opens a database only once.
 */
export class CommitWatch {
  readonly #dataVersion: StatementSync
  readonly #walIndex: number | undefined
  #header = Buffer.alloc(HEADER_BYTES)
  #spare = Buffer.alloc(HEADER_BYTES)
  #version: unknown

  constructor(database: DatabaseSync, path: string) {
    this.#dataVersion = database.prepare('pragma data_version')
    this.#walIndex = openWalIndex(`${path}-shm`)
    this.#version = this.#dataVersion.get()?.data_version
  }

  /** Whether there was a commit of another connection since the last call. */
  changed(): boolean {
    if (!this.#headerChanged()) return false
    const version = this.#dataVersion.get()?.data_version
    if (version === this.#version) return false
    this.#version = version
    return true
  }

  /** Ends the watch; only after the database has been closed. */
  close(): void {
    if (this.#walIndex !== undefined) closeSync(this.#walIndex)
  }

  #headerChanged(): boolean {
    if (this.#walIndex === undefined) return true
    // Read before data_version is asked: a commit in between shows again at the next call. A
    // torn read, while a commit is being published, differs from the last header too.
    const read = readSync(this.#walIndex, this.#spare, 0, HEADER_BYTES, 0)
    if (read === HEADER_BYTES && this.#spare.equals(this.#header)) return false
    const last = this.#header
    this.#header = this.#spare
    this.#spare = last
    return true
  }
}

/** Opens the WAL index if its file can be trusted to show what SQLite writes through memory. */
function openWalIndex(path: string): number | undefined {
  // Where the page cache serves read() and mmap() alike.
  if (process.platform !== 'linux' && process.platform !== 'darwin') return undefined
  const file = openSync(path, 'r')
  const copies = Buffer.alloc(2 * HEADER_BYTES)
  const read = readSync(file, copies, 0, copies.length, 0)
  const version = endianness() === 'LE' ? copies.readUInt32LE(0) : copies.readUInt32BE(0)
  const sound =
    read === copies.length && version === WAL_INDEX_VERSION && copies[INITIALISED_AT] === 1
  // Left open even if it is not used: closing it would drop SQLite's locks.
  return sound ? file : undefined
}

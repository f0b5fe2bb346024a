/**
 * The audit log: a file of JSON lines, appended and synced by group commit. All lines that arrive
 * while one write is on its way to the disk go with the next.
 */

import { constants } from 'node:fs'
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setImmediate } from 'node:timers/promises'

/** How many bytes of lines may wait; more than that is refused rather than kept in memory. */
const WAITING_BYTES_MAX = 64 * 1024 * 1024

const { O_RDWR, O_APPEND, O_CREAT, O_DSYNC } = constants
/**
 * A write returns when its bytes are on disk, as after fdatasync; that way a batch takes one thread
 * of Node's pool once and not twice, and waking it costs more than the rest.
 */
const APPEND_DURABLY = O_RDWR | O_APPEND | O_CREAT | O_DSYNC

/** The audit log. */
export interface AuditLog {
  /** Appends a line; resolves when it is on disk, rejects when it cannot be. */
  append(line: string): Promise<void>
  /** Waits for what is on its way and closes the file. */
  close(): Promise<void>
}

interface Batch {
  text: string
  readonly written: Promise<void>
  readonly settle: { resolve(): void; reject(reason: unknown): void }
}

/** Opens the log, mode 0600, and makes its directory. */
export async function openAuditLog(path: string): Promise<AuditLog> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const file = await open(path, APPEND_DURABLY, 0o600)
  await syncDirectory(dirname(path))
  let length = await endLastLine(file)
  /** Of which a part may stand behind `length`. */
  let torn: Buffer | undefined
  let waiting: Batch | undefined
  let flushing: Promise<void> | undefined

  /** A half-written line would make its successor unreadable. */
  async function dropTorn(written: Buffer): Promise<void> {
    if (await isLast(file, length, written)) await file.truncate(length)
    else length = await endLastLine(file)
    torn = undefined
  }

  async function flush(): Promise<void> {
    // Lines of one turn of the event loop arrive one by one, and go together.
    await setImmediate()
    while (waiting) {
      const batch = waiting
      waiting = undefined
      const bytes = Buffer.from(batch.text)
      try {
        if (torn) await dropTorn(torn)
        torn = bytes
        await writeThrough(file, bytes)
        torn = undefined
        length += bytes.length
        batch.settle.resolve()
      } catch (cause) {
        // If that fails too, it is tried again before the next line.
        if (torn) await dropTorn(torn).catch(() => {})
        batch.settle.reject(cause)
      }
    }
    flushing = undefined
  }

  return {
    append(line) {
      waiting ??= newBatch()
      if (waiting.text.length > WAITING_BYTES_MAX) {
        return Promise.reject(new Error('the audit log cannot keep up'))
      }
      waiting.text += `${line}\n`
      const { written } = waiting
      flushing ??= flush()
      return written
    },
    async close() {
      await flushing
      await file.close()
    },
  }
}

/** The file's own sync does not make its name durable. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** Whether there is nothing behind a place but a part of these bytes: lines of nobody else's. */
async function isLast(file: FileHandle, at: number, bytes: Buffer): Promise<boolean> {
  const { size } = await file.stat()
  const left = size - at
  if (left < 0 || left > bytes.length) return false
  const { buffer } = await file.read(Buffer.alloc(left), 0, left, at)
  return buffer.equals(bytes.subarray(0, left))
}

/**
 * Ends a line that a power failure has cut off, so that the next one can be read.
 *
 * @returns the length of the file.
 */
async function endLastLine(file: FileHandle): Promise<number> {
  const { size } = await file.stat()
  if (size === 0) return size
  const { buffer: last } = await file.read(Buffer.alloc(1), 0, 1, size - 1)
  if (last.toString() === '\n') return size
  await writeThrough(file, Buffer.from('\n'))
  return size + 1
}

function newBatch(): Batch {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  // Every appender has its own hold on the promise; this one keeps Node from calling it unhandled.
  promise.catch(() => {})
  return { text: '', written: promise, settle: { resolve, reject } }
}

async function writeThrough(file: FileHandle, bytes: Buffer): Promise<void> {
  let at = 0
  while (at < bytes.length) at += (await file.write(bytes, at)).bytesWritten
}

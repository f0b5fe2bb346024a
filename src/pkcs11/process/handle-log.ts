/**
 * CKA_ID → handle, published by the object thread to the workers through shared memory: an
 * append-only log, of which each worker applies what is new before it uses a handle. No message
 * has to arrive first, so a key is usable as soon as its making is acknowledged, and gone as soon
 * as its destruction is.
 *
 * Entry: 16 bytes CKA_ID, 8 bytes handle; handle 0 means gone. Handles live as long as the module
 * does, and so does the log.
 */

import { ID_BYTES } from '../token/templates.ts'

const COUNT_BYTES = 8
const HANDLE_BYTES = 8
const ENTRY_BYTES = ID_BYTES + HANDLE_BYTES
const GROWTH_BYTES = 64 * 1024
/** Room for 5.5 million entries; memory is taken only as the log grows. */
const BYTES_MAX = 128 * 1024 * 1024

/** Under which the canary stands in the log, as Latin-1 text: no backing key has this id. */
export const CANARY_ENTRY = '\0'.repeat(ID_BYTES)

/** Makes an empty log. */
export function newHandleLog(): SharedArrayBuffer {
  return new SharedArrayBuffer(GROWTH_BYTES, { maxByteLength: BYTES_MAX })
}

/** The writing end: one thread has it. */
export class HandleLogWriter {
  readonly #shared: SharedArrayBuffer
  readonly #count: Int32Array
  #written = 0

  constructor(shared: SharedArrayBuffer) {
    this.#shared = shared
    this.#count = new Int32Array(shared, 0, 1)
  }

  /**
   * Publishes where a backing key is; without a handle, that it is gone.
   *
   * @throws Error when the log is full: the process has to start anew.
   */
  publish(id: Buffer, handle?: Buffer): void {
    const at = COUNT_BYTES + this.#written * ENTRY_BYTES
    if (at + ENTRY_BYTES > this.#shared.byteLength) this.#shared.grow(at + GROWTH_BYTES)
    const entry = Buffer.from(this.#shared, at, ENTRY_BYTES)
    entry.fill(0)
    entry.set(id)
    if (handle !== undefined) entry.set(handle, ID_BYTES)
    this.#written += 1
    // The entry is complete before the count that covers it can be seen.
    Atomics.store(this.#count, 0, this.#written)
  }
}

/** A reading end: each worker has one. */
export class HandleLogReader {
  readonly #shared: SharedArrayBuffer
  readonly #count: Int32Array
  readonly #handleBytes: number
  readonly #onGone: (id: string) => void
  readonly #handles = new Map<string, Buffer>()
  #applied = 0

  /** @param onGone told of ids (as Latin-1 text) whose handle is no longer good. */
  constructor(shared: SharedArrayBuffer, handleBytes: number, onGone: (id: string) => void) {
    this.#shared = shared
    this.#count = new Int32Array(shared, 0, 1)
    this.#handleBytes = handleBytes
    this.#onGone = onGone
  }

  /** The handle of a backing key by its id (as Latin-1 text), as of now. */
  find(id: string): Buffer | undefined {
    if (Atomics.load(this.#count, 0) !== this.#applied) this.#apply()
    return this.#handles.get(id)
  }

  #apply(): void {
    const count = Atomics.load(this.#count, 0)
    for (; this.#applied < count; this.#applied++) {
      const at = COUNT_BYTES + this.#applied * ENTRY_BYTES
      const entry = Buffer.from(this.#shared, at, ENTRY_BYTES)
      const id = entry.toString('latin1', 0, ID_BYTES)
      const handle = Buffer.alloc(this.#handleBytes)
      entry.copy(handle, 0, ID_BYTES, ID_BYTES + this.#handleBytes)
      const replaced = this.#handles.get(id)
      if (replaced !== undefined && !replaced.equals(handle)) this.#onGone(id)
      if (handle.every((byte) => byte === 0)) this.#handles.delete(id)
      else this.#handles.set(id, handle)
    }
  }
}

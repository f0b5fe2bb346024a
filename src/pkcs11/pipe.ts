/** Pipes that carry frames: one for an event loop, one for a thread that may wait for its calls. */

import { closeSync, readSync, writeSync } from 'node:fs'
import type { Socket } from 'node:net'
import { type FrameCursor, FrameReader, FrameWriter } from './wire.ts'

const SPARE_BUFFERS_MAX = 4
const SPARE_BYTES_MAX = 256 * 1024
/** What is read at once: as much as a kernel passes on of a few dozen calls. */
const READ_BYTES = 64 * 1024

/** What to do with what arrives. */
export interface PipeOptions {
  readonly frameBytesMax: number
  /** Deals with one frame; the cursor and its bytes are only good until it returns. */
  readonly onFrame: (frame: FrameCursor) => void
  /** Called after the frames of a chunk. */
  readonly onBatch?: () => void
  /** The other end has closed, or the pipe has failed; called once. */
  readonly onClose: (cause?: Error) => void
}

/** One end of a pipe, with one write for all frames of an event-loop turn. */
export class FramePipe {
  /** Where frames are written; they leave with `flush`, or at the end of the turn. */
  readonly writer = new FrameWriter()
  readonly #socket: Socket
  readonly #spare: Buffer[] = []
  #flushIsDue = false
  #closed = false

  constructor(socket: Socket, options: PipeOptions) {
    this.#socket = socket
    const reader = new FrameReader(options.frameBytesMax, options.onFrame)
    const close = (cause?: Error) => {
      if (this.#closed) return
      this.#closed = true
      // Without a fault, answers that are still on their way may arrive.
      if (cause === undefined) socket.end()
      else socket.destroy()
      options.onClose(cause)
    }
    socket.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk)
        options.onBatch?.()
      } catch (cause) {
        close(cause instanceof Error ? cause : new Error(String(cause)))
      }
    })
    socket.on('end', () => close())
    socket.on('error', close)
    socket.on('close', () => close())
  }

  /** Lets the frames written in this turn leave at its end. */
  flushSoon(): void {
    if (this.#flushIsDue) return
    this.#flushIsDue = true
    setImmediate(() => this.flush())
  }

  /** Lets all frames leave now. */
  flush(): void {
    this.#flushIsDue = false
    if (this.writer.length === 0) return
    const { buffer, length } = this.writer.take(this.#spare.pop())
    if (this.#closed) {
      buffer.fill(0)
      return
    }
    this.#socket.write(buffer.subarray(0, length), () => {
      buffer.fill(0, 0, length)
      if (this.#spare.length < SPARE_BUFFERS_MAX && buffer.length <= SPARE_BYTES_MAX) {
        this.#spare.push(buffer)
      }
    })
  }

  /** Lets the frames leave and closes this end: the other end reads to the end. */
  end(): void {
    this.flush()
    this.#socket.end()
  }

  /** Closes at once. */
  destroy(): void {
    this.#socket.destroy()
  }
}

/**
 * One end of a pipe for a thread that has nothing else to do than to answer. It waits in `read`
 * and writes at once: an event loop, streams and their buffers would cost more than most calls.
 */
export class BlockingFramePipe {
  /** Where frames are written; they leave with `flush`. */
  readonly writer = new FrameWriter()
  readonly #fd: number
  readonly #chunk = Buffer.allocUnsafeSlow(READ_BYTES)
  #spare: Buffer | undefined

  /** @param fd a descriptor that blocks, as those of a spawned process do. */
  constructor(fd: number) {
    this.#fd = fd
  }

  /**
   * Deals with frames until the other end closes, and closes this one.
   *
   * @throws Error when the pipe fails, or from `onFrame`.
   */
  serve(options: Omit<PipeOptions, 'onClose'>): void {
    const reader = new FrameReader(options.frameBytesMax, options.onFrame)
    try {
      for (;;) {
        const length = readSync(this.#fd, this.#chunk)
        if (length === 0) return
        reader.push(this.#chunk.subarray(0, length))
        options.onBatch?.()
      }
    } finally {
      closeSync(this.#fd)
    }
  }

  /** Lets all frames leave; waits while the other end has no room for them. */
  flush(): void {
    if (this.writer.length === 0) return
    const { buffer, length } = this.writer.take(this.#spare)
    try {
      for (let at = 0; at < length; ) at += writeSync(this.#fd, buffer, at, length - at)
    } finally {
      buffer.fill(0, 0, length)
      this.#spare = buffer.length <= SPARE_BYTES_MAX ? buffer : undefined
    }
  }
}

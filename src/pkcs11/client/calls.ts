/**
 * Calls on their way to the workers: which worker takes one, how many are sent ahead, how many
 * wait, and what happens when one takes too long.
 */

import type { Socket } from 'node:net'
import { KmsError } from '../../model/failures.ts'
import type { CallLimits } from '../hsm.ts'
import type { Lane } from '../lanes.ts'
import { FramePipe } from '../pipe.ts'
import {
  DATA_FRAME_BYTES_MAX,
  type FrameCursor,
  type FrameWriter,
  MalformedFrameError,
} from '../wire.ts'

/** How often waiting calls are looked over, in milliseconds. */
const SWEEP_MS = 100
/** How long a slow call lets cheap ones go before it where one worker has both, in milliseconds. */
const SLOW_TURN_MS = 500

/** What bounds the calls. */
export interface CallsOptions {
  /** Of each worker. */
  readonly lanes: readonly Lane[]
  readonly sentCallsMax: number
  readonly queuedCallsMax: number
  readonly callTimeoutMs: number
  /** A worker has not answered a call in time. */
  readonly onHang: () => void
  /** A worker's pipe has closed or failed. */
  readonly onClose: (cause?: Error) => void
}

/** Writes verb, deadline and input of a call. */
export type WriteCall = (writer: FrameWriter, deadlineMs: number) => void

/** What kind of a call it is. */
export interface CallKind {
  /** Whether it takes the token long, and so has to stay out of the way of others. */
  readonly isSlow?: boolean
  /** How long the token may take over it, where that is longer than usual, in milliseconds. */
  readonly patienceMs?: number
}

/** An answer: its status, and what follows it in memory of its own. */
export interface Answer {
  readonly status: number
  readonly payload: Buffer
}

interface Call {
  readonly write: WriteCall
  readonly isSlow: boolean
  readonly patienceMs: number
  readonly limits: CallLimits
  readonly resolve: (answer: Answer) => void
  readonly reject: (failure: Error) => void
  /** Whether its caller has been answered before the token has. */
  isGivenUp?: true
}

/** The calls of one HSM process. */
export class Calls {
  readonly #options: CallsOptions
  readonly #workers: WorkerPipe[]
  readonly #cheap = new Queue<Call>()
  readonly #slow = new Queue<Call>()
  readonly #sweep: NodeJS.Timeout
  #lookedOverMs = performance.now()
  /** Since when the next slow call waits for its turn. */
  #slowSinceMs = 0
  #closed: Error | undefined

  constructor(sockets: readonly Socket[], options: CallsOptions) {
    this.#options = options
    this.#workers = sockets.map(
      (socket, at) =>
        new WorkerPipe(socket, {
          lane: options.lanes[at] ?? 'both',
          onAnswer: () => this.#sendQueued(),
          onSlowAnswer: () => {
            this.#slowSinceMs = performance.now()
          },
          onClose: options.onClose,
        }),
    )
    this.#sweep = setInterval(() => this.#lookOver(), SWEEP_MS).unref()
  }

  /** Calls that wait in the door, and calls that a worker has. */
  get counts(): { readonly queued: number; readonly sent: number } {
    return {
      queued: this.#cheap.length + this.#slow.length,
      sent: this.#workers.reduce((sum, worker) => sum + worker.sent, 0),
    }
  }

  /**
   * Makes a call.
   *
   * @throws KmsError RequestAbortedException or ThrottlingException without asking the token.
   */
  make(write: WriteCall, limits: CallLimits, kind: CallKind = {}): Promise<Answer> {
    const { isSlow = false, patienceMs = 0 } = kind
    return new Promise((resolve, reject) => {
      const call = { write, limits, isSlow, patienceMs, resolve, reject }
      if (this.#closed !== undefined) {
        reject(this.#closed)
        return
      }
      if (refuseAborted(call)) return
      const worker = this.#leastBusy(isSlow)
      const queue = isSlow ? this.#slow : this.#cheap
      if (worker !== undefined) worker.send(call)
      else if (queue.length < this.#options.queuedCallsMax) {
        if (isSlow && queue.length === 0) this.#slowSinceMs = performance.now()
        queue.push(call)
      } else {
        reject(new KmsError('ThrottlingException', 'Too many requests wait for the HSM.'))
      }
    })
  }

  /** Fails all calls: those that a worker has with `ofSent`, the others with `ofQueued`. */
  close(ofSent: Error, ofQueued: Error): void {
    this.#refuse(ofQueued)
    for (const worker of this.#workers) worker.fail(ofSent)
  }

  /** Closes the pipes: the workers answer what they have, then end; other calls fail. */
  end(ofQueued: Error): void {
    this.#refuse(ofQueued)
    for (const worker of this.#workers) worker.end()
  }

  #refuse(failure: Error): void {
    this.#closed ??= failure
    clearInterval(this.#sweep)
    for (const queue of [this.#cheap, this.#slow]) {
      for (let call = queue.shift(); call !== undefined; call = queue.shift()) call.reject(failure)
    }
  }

  #leastBusy(isSlow: boolean): WorkerPipe | undefined {
    let least: WorkerPipe | undefined
    for (const worker of this.#workers) {
      if (!worker.takes(isSlow)) continue
      if (least === undefined || worker.sent < least.sent) least = worker
    }
    return least !== undefined && least.sent < this.#options.sentCallsMax ? least : undefined
  }

  /** Cheap calls first, but for a slow one that has waited its time for a worker that has both. */
  #sendQueued(): void {
    const isTurn = this.#slow.length > 0 && performance.now() - this.#slowSinceMs > SLOW_TURN_MS
    if (isTurn) this.#sendFrom(this.#slow, true)
    this.#sendFrom(this.#cheap, false)
    this.#sendFrom(this.#slow, true)
  }

  #sendFrom(queue: Queue<Call>, isSlow: boolean): void {
    while (queue.length > 0) {
      const worker = this.#leastBusy(isSlow)
      const call = worker && queue.shift()
      if (call === undefined) return
      if (!refuseAborted(call)) worker?.send(call)
    }
  }

  #lookOver(): void {
    for (const queue of [this.#cheap, this.#slow]) queue.keepOnly((call) => !refuseAborted(call))
    const nowMs = performance.now()
    const stoodStillMs = Math.max(0, nowMs - this.#lookedOverMs - SWEEP_MS)
    this.#lookedOverMs = nowMs
    for (const worker of this.#workers) {
      worker.giveUpLate()
      // While the door itself stood still it sent no call and read no answer.
      worker.excuse(stoodStillMs, nowMs)
    }
    const { callTimeoutMs, onHang } = this.#options
    if (this.#workers.some((worker) => worker.isHanging(nowMs, callTimeoutMs))) onHang()
  }
}

/** The pipe of one worker, which answers in the order in which it is asked. */
class WorkerPipe {
  readonly #pipe: FramePipe
  readonly #calls = new Queue<Call>()
  readonly #onAnswer: () => void
  readonly #onSlowAnswer: () => void
  readonly #lane: Lane
  #firstSequence = 0
  #slowSent = 0
  /** When the worker could begin with the first of its calls, by `performance.now()`. */
  #sinceMs = 0

  constructor(
    socket: Socket,
    options: {
      readonly lane: Lane
      readonly onAnswer: () => void
      readonly onSlowAnswer: () => void
      readonly onClose: (cause?: Error) => void
    },
  ) {
    this.#lane = options.lane
    this.#onAnswer = options.onAnswer
    this.#onSlowAnswer = options.onSlowAnswer
    this.#pipe = new FramePipe(socket, {
      frameBytesMax: DATA_FRAME_BYTES_MAX,
      onFrame: (frame) => this.#receive(frame),
      onBatch: () => this.#onAnswer(),
      onClose: options.onClose,
    })
  }

  get sent(): number {
    return this.#calls.length
  }

  /** Whether it is in its lane, and would not have to wait behind a slow one that is in none. */
  takes(isSlow: boolean): boolean {
    if (this.#lane === 'both') return this.#slowSent === 0
    return isSlow === (this.#lane === 'slow')
  }

  isHanging(nowMs: number, callTimeoutMs: number): boolean {
    const { first } = this.#calls
    if (first === undefined) return false
    return nowMs - this.#sinceMs > Math.max(callTimeoutMs, first.patienceMs)
  }

  /** Does not count so many of the last milliseconds against the worker. */
  excuse(ms: number, nowMs: number): void {
    this.#sinceMs = Math.min(nowMs, this.#sinceMs + ms)
  }

  /** Answers callers whose deadline has passed; the worker goes on with their calls. */
  giveUpLate(): void {
    const nowMs = Date.now()
    this.#calls.forEach((call) => {
      if (call.isGivenUp || nowMs <= (call.limits.deadlineMs ?? nowMs)) return
      call.isGivenUp = true
      call.reject(
        new KmsError('DependencyTimeoutException', 'The HSM did not answer in time.', {
          grpc: 'DEADLINE_EXCEEDED',
        }),
      )
    })
  }

  send(call: Call): void {
    const { writer } = this.#pipe
    writer.begin()
    writer.u32((this.#firstSequence + this.#calls.length) >>> 0)
    try {
      call.write(writer, call.limits.deadlineMs ?? Number.POSITIVE_INFINITY)
    } catch (cause) {
      // A bug, of this call alone: half a frame would be one of all that follow.
      writer.abandon()
      call.reject(cause instanceof Error ? cause : new Error(String(cause)))
      return
    }
    writer.end()
    if (this.#calls.length === 0) this.#sinceMs = performance.now()
    if (call.isSlow) this.#slowSent += 1
    this.#calls.push(call)
    this.#pipe.flushSoon()
  }

  fail(failure: Error): void {
    for (let call = this.#calls.shift(); call !== undefined; call = this.#calls.shift()) {
      call.reject(failure)
    }
    this.#pipe.destroy()
  }

  end(): void {
    this.#pipe.end()
  }

  #receive(frame: FrameCursor): void {
    const call = this.#calls.shift()
    if (call === undefined || frame.u32() !== this.#firstSequence) {
      throw new MalformedFrameError('an answer to no call')
    }
    this.#firstSequence = (this.#firstSequence + 1) >>> 0
    this.#sinceMs = performance.now()
    if (call.isSlow) {
      this.#slowSent -= 1
      this.#onSlowAnswer()
    }
    if (call.isGivenUp) return
    const status = frame.u8()
    // Of its own: the pipe's memory is zeroed, and the pool's is shared.
    const payload = Buffer.alloc(frame.left)
    payload.set(frame.bytes())
    call.resolve({ status, payload })
  }
}

/** First in, first out, without moving what waits. */
class Queue<T> {
  #items: (T | undefined)[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  get first(): T | undefined {
    return this.#items[this.#head]
  }

  push(item: T): void {
    this.#items.push(item)
  }

  shift(): T | undefined {
    const item = this.#items[this.#head]
    if (item === undefined) return undefined
    this.#items[this.#head] = undefined
    this.#head += 1
    if (this.#head === this.#items.length) {
      this.#items.length = 0
      this.#head = 0
    } else if (this.#head >= 1024) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  forEach(visit: (item: T) => void): void {
    for (let at = this.#head; at < this.#items.length; at++) {
      const item = this.#items[at]
      if (item !== undefined) visit(item)
    }
  }

  keepOnly(keep: (item: T) => boolean): void {
    if (this.length === 0) return
    this.#items = this.#items.slice(this.#head).filter((item) => item !== undefined && keep(item))
    this.#head = 0
  }
}

/** Fails a call whose caller has gone or waits no longer. */
function refuseAborted({ limits, reject }: Call): boolean {
  if (limits.signal?.aborted) {
    reject(new KmsError('RequestAbortedException', 'The request was cancelled.'))
    return true
  }
  if (limits.deadlineMs !== undefined && Date.now() > limits.deadlineMs) {
    reject(tooLate())
    return true
  }
  return false
}

/** The failure of a call whose deadline has passed before the token was asked. */
export function tooLate(): KmsError {
  return new KmsError('RequestAbortedException', 'The deadline of the request has passed.', {
    grpc: 'DEADLINE_EXCEEDED',
  })
}

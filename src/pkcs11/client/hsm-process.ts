/** One HSM process seen from the door: spawning it, its pipes, its end. */

import { type ChildProcess, spawn } from 'node:child_process'
import { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { KmsError } from '../../model/failures.ts'
import { passedPin, processEnvironment, processFile } from '../child-process.ts'
import { lanesOf } from '../lanes.ts'
import type { FromProcess, ManagementVerb, ManagementVerbs, ToProcess } from '../management.ts'
import { FramePipe } from '../pipe.ts'
import { PROFILES } from '../profiles/choose.ts'
import type { HsmSettings, Log, TokenIdentity } from '../settings.ts'
import { MANAGEMENT_FRAME_BYTES_MAX } from '../wire.ts'
import { Calls } from './calls.ts'
import { unavailable } from './connection.ts'

const MANAGEMENT_FD = 3
const FIRST_WORKER_FD = 4
/** Workers that there is room for when only the profile knows how many there will be. */
const WORKERS_MAX = 16
const SWEEP_MS = 250
/** How long a process may take to end by itself. */
const ENDING_MS = 15_000
/** How long its pipes may take to run dry once it has ended. */
const DRAINING_MS = 2000

/** How a process ended. */
export interface Ending {
  /** `refused`: a new start would not help. */
  readonly why: 'down' | 'refused'
  readonly reason: string
}

interface PendingCall {
  readonly resolve: (answer: never) => void
  readonly reject: (failure: Error) => void
}

/** What the supervisor hands in. */
export interface ProcessOptions {
  readonly log: Log
  readonly onReady: (ready: { identity: TokenIdentity; workers: number }) => void
  /** Called once, when the process is gone. */
  readonly onEnd: (ending: Ending) => void
}

/** A running HSM process; making one throws where none can be started. */
export class HsmProcess {
  readonly #child: ChildProcess
  readonly #options: ProcessOptions
  readonly #management: FramePipe
  readonly #pending = new Map<number, PendingCall>()
  readonly #managementTimeoutMs: number
  readonly #sweep: NodeJS.Timeout
  #calls: Calls | undefined
  #sequence = 0
  /** When object management could begin with the oldest of its calls. */
  #sinceMs = performance.now()
  #ending: Ending | undefined
  #hung = false
  #over = false
  readonly #ended = Promise.withResolvers<void>()

  constructor(settings: HsmSettings, options: ProcessOptions) {
    this.#options = options
    this.#managementTimeoutMs = settings.managementTimeoutMs ?? 60_000
    // One more, where slow calls have a worker to themselves.
    const workerPipes = (settings.workers ?? WORKERS_MAX) + 1
    const passed = passedPin(settings, FIRST_WORKER_FD + workerPipes)
    this.#child = spawnProcess(settings, workerPipes, passed.descriptors)
    this.#management = new FramePipe(this.#socket(MANAGEMENT_FD), {
      frameBytesMax: MANAGEMENT_FRAME_BYTES_MAX,
      onFrame: (frame) =>
        this.#receive(JSON.parse(frame.bytes().toString()) as FromProcess, settings, workerPipes),
      onClose: (cause) => this.#broken(cause),
    })
    this.#child.on('error', (cause) => this.#end(cause.message))
    // Its last words may still be in its pipes when it exits: `close` comes after them.
    this.#child.on('close', (code, signal) => this.#end(signal ?? `exit code ${code}`))
    this.#child.on('exit', (code, signal) => {
      setTimeout(() => this.#end(signal ?? `exit code ${code}`), DRAINING_MS).unref()
    })
    this.#relay()
    this.#sweep = setInterval(() => this.#lookOver(), SWEEP_MS).unref()
    this.#send({ kind: 'start', settings: passed.settings, workerPipes })
  }

  /** The id of the process while it runs. */
  get pid(): number | undefined {
    return this.#over ? undefined : this.#child.pid
  }

  /** The data calls, once the process is ready. */
  get calls(): Calls | undefined {
    return this.#calls
  }

  /** Makes a management call. */
  manage<V extends ManagementVerb>(
    verb: V,
    input: ManagementVerbs[V]['takes'],
  ): Promise<ManagementVerbs[V]['answers']> {
    return new Promise((resolve, reject) => {
      if (this.#over) {
        reject(unavailable('it has ended'))
        return
      }
      const sequence = this.#sequence++
      if (this.#pending.size === 0) this.#sinceMs = performance.now()
      this.#pending.set(sequence, { resolve, reject })
      const call = { verb, input } as Extract<ToProcess, { kind: 'call' }>['call']
      this.#send({ kind: 'call', sequence, call })
    })
  }

  /** Lets the process finish what it has, and waits for its end. */
  async stop(): Promise<void> {
    if (this.#over) return
    const reason = 'keyslot is stopping'
    this.#ending ??= { why: 'down', reason }
    this.#endWorkers(reason)
    this.#management.end()
    const tooLong = setTimeout(() => this.#kill('it did not end'), ENDING_MS)
    await this.#ended.promise
    clearTimeout(tooLong)
  }

  /** Kills the process at once. */
  #kill(reason: string): void {
    this.#ending ??= { why: 'down', reason }
    this.#child.kill('SIGKILL')
  }

  /** Its callers have waited too long: they are told so. */
  #killHung(reason: string): void {
    this.#hung = true
    this.#kill(reason)
  }

  #socket(fd: number): Socket {
    const socket = this.#child.stdio[fd]
    if (!(socket instanceof Socket)) throw new Error(`descriptor ${fd} is no pipe`)
    return socket
  }

  #receive(message: FromProcess, settings: HsmSettings, workerPipes: number): void {
    switch (message.kind) {
      case 'log':
        this.#options.log(message.level, message.message, message.fields)
        return
      case 'ready':
        this.#openWorkerPipes(settings, message, workerPipes)
        this.#options.onReady(message)
        return
      case 'ending':
        // Its own words count for more than what its pipes look like.
        this.#ending = { why: message.why, reason: message.reason }
        this.#endWorkers(message.reason)
        return
      case 'answer':
        this.#settle(message.sequence)?.resolve(message.answer as never)
        return
      case 'failure': {
        const { name, grpc, message: text } = message.failure
        const failure =
          name === undefined
            ? unavailable(text)
            : new KmsError(name, text, grpc === undefined ? undefined : { grpc })
        this.#settle(message.sequence)?.reject(failure)
      }
    }
  }

  #openWorkerPipes(
    settings: HsmSettings,
    { identity, workers }: Extract<FromProcess, { kind: 'ready' }>,
    workerPipes: number,
  ): void {
    const sockets = Array.from({ length: workers }, (_, at) => this.#socket(FIRST_WORKER_FD + at))
    this.#calls = new Calls(sockets, {
      lanes: lanesOf(PROFILES[identity.profile], workers),
      sentCallsMax: settings.sentCallsMax ?? 64,
      queuedCallsMax: settings.queuedCallsMax ?? 1024,
      callTimeoutMs: settings.callTimeoutMs ?? 5000,
      onHang: () => this.#killHung('the token did not answer in time'),
      onClose: (cause) => this.#broken(cause),
    })
    this.#closeWorkerPipes(workers, workerPipes)
  }

  /** Workers wait for calls, and end when there can be no more. */
  #endWorkers(reason: string): void {
    this.#calls?.end(unavailable(reason))
    this.#closeWorkerPipes(0)
  }

  #closeWorkerPipes(from: number, to = this.#child.stdio.length - FIRST_WORKER_FD): void {
    for (let at = from; at < to; at++) {
      const socket = this.#child.stdio[FIRST_WORKER_FD + at]
      if (socket instanceof Socket) socket.end()
    }
  }

  #settle(sequence: number): PendingCall | undefined {
    const pending = this.#pending.get(sequence)
    this.#pending.delete(sequence)
    this.#sinceMs = performance.now()
    return pending
  }

  /** A pipe that breaks while the process lives leaves it of no use. */
  #broken(cause?: Error): void {
    if (cause !== undefined) this.#kill(`its pipe failed: ${cause.message}`)
  }

  #lookOver(): void {
    const isStarting = this.#calls === undefined
    if (!isStarting && this.#pending.size === 0) return
    if (performance.now() - this.#sinceMs > this.#managementTimeoutMs) {
      this.#killHung('object management did not answer in time')
    }
  }

  #end(how: string): void {
    if (this.#over) return
    this.#over = true
    clearInterval(this.#sweep)
    const ending = this.#ending ?? { why: 'down', reason: `the HSM process ended: ${how}` }
    const gone = unavailable(ending.reason)
    const ofSent = this.#hung
      ? new KmsError('DependencyTimeoutException', 'The HSM did not answer in time.')
      : gone
    this.#calls?.close(ofSent, gone)
    for (const { reject } of this.#pending.values()) reject(ofSent)
    this.#pending.clear()
    this.#management.destroy()
    this.#options.onEnd(ending)
    this.#ended.resolve()
  }

  /** What the module or Node print goes to the log, line by line. */
  #relay(): void {
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream === null) continue
      createInterface({ input: stream }).on('line', (line) => {
        this.#options.log('warn', 'the HSM process printed a line', { line: line.slice(0, 500) })
      })
    }
  }

  #send(message: ToProcess): void {
    const { writer } = this.#management
    writer.begin()
    writer.bytes(Buffer.from(JSON.stringify(message)))
    writer.end()
    this.#management.flushSoon()
  }
}

function spawnProcess(
  { moduleEnvironment }: HsmSettings,
  workerPipes: number,
  descriptors: readonly number[],
): ChildProcess {
  const pipes = Array.from({ length: 1 + workerPipes }, () => 'pipe' as const)
  const noInspector = '--disable-sigusr1'
  const flags = process.allowedNodeEnvironmentFlags.has(noInspector) ? [noInspector] : []
  const child = spawn(process.execPath, [...flags, processFile('main')], {
    stdio: ['ignore', 'pipe', 'pipe', ...pipes, ...descriptors],
    env: processEnvironment(moduleEnvironment),
  })
  // EMFILE and ENFILE leave it without the pipes that its type promises, and are told later.
  if ((child.stdio as unknown) === undefined) {
    child.once('error', () => undefined)
    throw new Error('no file descriptors are left for its pipes')
  }
  return child
}

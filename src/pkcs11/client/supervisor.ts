/**
 * Keeps one HSM process running: starts it, starts it again when it ends, and says how it is.
 */

import type { Hsm, HsmObjects } from '../hsm.ts'
import type { HsmReport, HsmSettings, Log, TokenIdentity } from '../settings.ts'
import { type Connection, unavailable } from './connection.ts'
import { hsmOver } from './data.ts'
import { type Ending, HsmProcess } from './hsm-process.ts'
import { objectsOver } from './objects.ts'

const RESTART_FIRST_MS = 100
const RESTART_MAX_MS = 3000
/** A process that has served this long was sound: the next restart is immediate again. */
const SOUND_MS = 10_000
const CANARY_INTERVAL_MS = 30_000

/** How the HSM process is. `refused`: only the operator can mend it, by a restart of keyslot. */
export interface HsmState {
  readonly state: 'starting' | 'ready' | 'down' | 'refused'
  /** Why it is not ready. */
  readonly reason?: string
  /** Of the token that it last served. */
  readonly identity?: TokenIdentity
}

/** The HSM as the composition root holds it. */
export interface HsmHandle {
  readonly hsm: Hsm
  readonly objects: HsmObjects
  /** How the HSM process is now. */
  state(): HsmState
  /** Calls the listener after every change of state; answers how to stop that. */
  onChange(listener: (state: HsmState) => void): () => void
  /** Asks the token what it is and whether it works. */
  check(): Promise<HsmReport>
  /** The id of the HSM process, while there is one. */
  pid(): number | undefined
  /** Calls waiting and sent, and processes started again since the start. */
  metrics(): { readonly queued: number; readonly sent: number; readonly restarts: number }
  /** Finishes the calls under way and ends the HSM process. */
  stop(): Promise<void>
}

/**
 * Starts the HSM process.
 *
 * @returns the handle once the first start has come to something: see its state. A start that
 *   fails is tried again in the background, unless it is refused.
 */
export async function startHsm(
  settings: HsmSettings,
  { log }: { readonly log: Log },
): Promise<HsmHandle> {
  const supervisor = new Supervisor(settings, log)
  await supervisor.settled()
  const { connection } = supervisor
  return {
    hsm: hsmOver(connection),
    objects: objectsOver(connection, (id) => supervisor.learnCanary(id)),
    state: () => supervisor.state,
    onChange: (listener) => supervisor.onChange(listener),
    check: () => connection.manage('check', null),
    pid: () => supervisor.pid,
    metrics: () => supervisor.metrics,
    stop: () => supervisor.stop(),
  }
}

class Supervisor {
  readonly connection: Connection
  readonly #log: Log
  readonly #listeners = new Set<(state: HsmState) => void>()
  readonly #canaryTimer: NodeJS.Timeout
  #settings: HsmSettings
  #state: HsmState = { state: 'starting' }
  #process: HsmProcess
  #readyMs: number | undefined
  #failures = 0
  #restarts = 0
  #restartTimer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(settings: HsmSettings, log: Log) {
    this.#settings = settings
    this.#log = log
    this.connection = {
      calls: () => this.#ready().calls ?? fail(unavailable('the HSM process is starting')),
      manage: async (verb, input) => this.#ready().manage(verb, input),
    }
    this.#process = this.#start()
    const intervalMs = settings.canaryIntervalMs ?? CANARY_INTERVAL_MS
    this.#canaryTimer = setInterval(() => this.#askCanary(), intervalMs).unref()
  }

  get state(): HsmState {
    return this.#state
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  get metrics() {
    const { queued, sent } = this.#process.calls?.counts ?? { queued: 0, sent: 0 }
    return { queued, sent, restarts: this.#restarts }
  }

  onChange(listener: (state: HsmState) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Resolves when the first start has come to something. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      const stop = this.onChange(() => {
        stop()
        resolve()
      })
    })
  }

  learnCanary(canaryId: string): void {
    this.#settings = { ...this.#settings, canaryId }
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#restartTimer)
    clearInterval(this.#canaryTimer)
    this.#change({ state: 'down', reason: 'keyslot is stopping' })
    await this.#process.stop()
  }

  #start(): HsmProcess {
    return new HsmProcess(this.#settings, {
      log: this.#log,
      onReady: ({ identity, workers }) => {
        this.#readyMs = performance.now()
        this.#log('info', 'the HSM is ready', { workers })
        this.#change({ state: 'ready', identity })
      },
      onEnd: (ending) => this.#ended(ending),
    })
  }

  #ended({ why, reason }: Ending): void {
    if (this.#stopped) return
    const { identity } = this.#state
    if (why === 'refused') {
      this.#log('error', 'the HSM process refuses to serve', { reason })
      this.#change({ state: 'refused', reason, identity })
      return
    }
    const wasSound = this.#readyMs !== undefined && performance.now() - this.#readyMs > SOUND_MS
    // After the first failure of a sound process, the restart does not wait.
    this.#failures = wasSound ? 0 : this.#failures + 1
    this.#readyMs = undefined
    const delayMs =
      this.#failures === 0
        ? 0
        : Math.min(RESTART_MAX_MS, RESTART_FIRST_MS * 2 ** (this.#failures - 1))
    this.#log('error', 'the HSM process has ended; it is started again', { reason, delayMs })
    this.#change({ state: 'down', reason, identity })
    this.#restartTimer = setTimeout(() => {
      this.#restarts += 1
      this.#startAgain()
    }, delayMs)
  }

  /** What keeps a process from being started may pass, as too many open files do. */
  #startAgain(): void {
    try {
      this.#process = this.#start()
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      this.#ended({ why: 'down', reason: `the HSM process cannot be started: ${reason}` })
    }
  }

  #change(state: HsmState): void {
    this.#state = state
    for (const listener of this.#listeners) listener(state)
  }

  #ready(): HsmProcess {
    if (this.#state.state === 'ready') return this.#process
    throw unavailable(this.#state.reason ?? 'the HSM process is starting')
  }

  /** A token that nobody uses may be gone: asking for the canary finds out. */
  #askCanary(): void {
    if (this.#state.state !== 'ready' || this.#settings.canaryId === undefined) return
    this.connection.manage('proveCanary', null).catch((cause: unknown) => {
      const reason = cause instanceof Error ? (cause.cause ?? cause.message) : cause
      this.#log('error', 'the canary of the token does not work', { reason: String(reason) })
    })
  }
}

function fail(failure: Error): never {
  throw failure
}

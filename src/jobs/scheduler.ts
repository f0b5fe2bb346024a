/**
 * The jobs, and when they run. What a caller could ask for too goes through the pipeline like every
 * call, with keyslot itself as the caller; what only settles or writes down what was, does not.
 */

import { deleteDueKeys } from './delete-due-keys.ts'
import { expireDueMaterial } from './expire-due-material.ts'
import type { JobParts, JobRun } from './job.ts'
import { rotateDueKeys } from './rotate-due-keys.ts'

/** The scheduler. */
export interface Scheduler {
  /** Runs every job once, after the round that is under way. */
  runOnce(): Promise<void>
  /** Stops: waits for the change that is under way, and begins none any more. */
  stop(): Promise<void>
}

type Jobs = Readonly<Record<string, (run: JobRun) => Promise<unknown>>>

/** What looks for changes that are due, or were interrupted: cheap, and often. */
const DUE: Jobs = {
  'settle interrupted changes': ({ settle }) => settle(),
  'rotate due keys': rotateDueKeys,
  'delete due keys': deleteDueKeys,
  'expire due key material': expireDueMaterial,
  'write the last uses of keys': ({ store }) => store.lastUses.flush(),
}
/** What reads the whole token. */
const WHOLE: Jobs = { reconcile: ({ reconcile }) => reconcile() }
const WHOLE_INTERVAL_MS = 3_600_000

/** Looks for what is due every `intervalMs`, and reads the whole token every hour. */
export function startScheduler(parts: JobParts, intervalMs: number): Scheduler {
  const stopping = new AbortController()
  const { signal } = stopping
  let last: Promise<void> = Promise.resolve()
  const run = (jobs: Jobs): Promise<void> => {
    last = last.then(() => runAll({ ...parts, signal }, jobs))
    return last
  }
  const timers = [every(intervalMs, () => run(DUE)), every(WHOLE_INTERVAL_MS, () => run(WHOLE))]
  return {
    runOnce: () => run({ ...DUE, ...WHOLE }),
    async stop() {
      stopping.abort()
      for (const timer of timers) clearInterval(timer)
      await last
    },
  }
}

/** A round that takes longer than the interval leaves turns out, rather than let them pile up. */
function every(intervalMs: number, round: () => Promise<void>): NodeJS.Timeout {
  let isOver = true
  const turn = async (): Promise<void> => {
    if (!isOver) return
    isOver = false
    await round()
    isOver = true
  }
  return setInterval(turn, intervalMs).unref()
}

async function runAll(run: JobRun, jobs: Jobs): Promise<void> {
  for (const [name, job] of Object.entries(jobs)) {
    if (run.signal.aborted) return
    try {
      await job(run)
    } catch (error) {
      run.onFailure(name, error)
    }
  }
}

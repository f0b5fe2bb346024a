/**
 * The jobs, and when they run. A job goes through the pipeline like every call, with keyslot
 * itself as the caller.
 */

import type { Pipeline } from '../pipeline/call.ts'
import type { Store } from '../store/store.ts'
import { deleteDueKeys } from './delete-due-keys.ts'
import { rotateDueKeys } from './rotate-due-keys.ts'

/** What jobs are made of. */
export interface JobParts {
  readonly pipeline: Pipeline
  readonly store: Store
  readonly clock: () => number
  /** Repairs what a crash left behind, and looks for what is unexplained. */
  readonly reconcile: () => Promise<unknown>
  /** Told of a job that failed; the next round tries again. */
  readonly onFailure: (job: string, error: unknown) => void
}

/** The scheduler. */
export interface Scheduler {
  /** Runs every job once, now; a round that is under way is waited for and not doubled. */
  runOnce(): Promise<void>
  /** Stops, and waits for the round that is under way. */
  stop(): Promise<void>
}

const JOBS = {
  'rotate due keys': rotateDueKeys,
  'delete due keys': deleteDueKeys,
  reconcile: ({ reconcile }: JobParts) => reconcile(),
} as const

/** Runs the jobs every `intervalMs`. */
export function startScheduler(parts: JobParts, intervalMs: number): Scheduler {
  let round: Promise<void> | undefined
  const runOnce = () => {
    round ??= runAll(parts).finally(() => {
      round = undefined
    })
    return round
  }
  const timer = setInterval(runOnce, intervalMs)
  timer.unref()
  return {
    runOnce,
    async stop() {
      clearInterval(timer)
      await round
    },
  }
}

async function runAll(parts: JobParts): Promise<void> {
  for (const [name, job] of Object.entries(JOBS)) {
    try {
      await job(parts)
    } catch (error) {
      parts.onFailure(name, error)
    }
  }
}

/**
 * The jobs, and when they run. A job goes through the pipeline like every call, with keyslot
 * itself as the caller.
 */

import { deleteDueKeys } from './delete-due-keys.ts'
import type { JobParts } from './job.ts'
import { rotateDueKeys } from './rotate-due-keys.ts'

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

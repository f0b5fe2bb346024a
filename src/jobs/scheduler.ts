/**
 * The jobs, and when they run. A job goes through the pipeline like every call, with keyslot
 * itself as the caller.
 */

import { deleteDueKeys } from './delete-due-keys.ts'
import type { JobParts } from './job.ts'
import { rotateDueKeys } from './rotate-due-keys.ts'

/** The scheduler. */
export interface Scheduler {
  /** Runs every job once, after the round that is under way. */
  runOnce(): Promise<void>
  /** Stops, and waits for the round that is under way. */
  stop(): Promise<void>
}

type Job = (parts: JobParts) => Promise<unknown>

/** What looks for keys that are due: cheap, and often. */
const DUE: Readonly<Record<string, Job>> = {
  'rotate due keys': rotateDueKeys,
  'delete due keys': deleteDueKeys,
}
/** What reads the whole token. */
const WHOLE: Readonly<Record<string, Job>> = { reconcile: ({ reconcile }) => reconcile() }
const WHOLE_INTERVAL_MS = 3_600_000

/** Looks for due keys every `intervalMs`, and reads the whole token every hour. */
export function startScheduler(parts: JobParts, intervalMs: number): Scheduler {
  let last: Promise<void> = Promise.resolve()
  const run = (jobs: Readonly<Record<string, Job>>): Promise<void> => {
    last = last.then(() => runAll(parts, jobs))
    return last
  }
  const due = setInterval(() => run(DUE), intervalMs).unref()
  const whole = setInterval(() => run(WHOLE), WHOLE_INTERVAL_MS).unref()
  return {
    runOnce: () => run({ ...DUE, ...WHOLE }),
    async stop() {
      clearInterval(due)
      clearInterval(whole)
      await last
    },
  }
}

async function runAll(parts: JobParts, jobs: Readonly<Record<string, Job>>): Promise<void> {
  for (const [name, job] of Object.entries(jobs)) {
    try {
      await job(parts)
    } catch (error) {
      parts.onFailure(name, error)
    }
  }
}

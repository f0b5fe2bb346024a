/** What every job is given. */

import type { Pipeline } from '../pipeline/call.ts'
import type { Store } from '../store/store.ts'

/** What jobs are made of. */
export interface JobParts {
  readonly pipeline: Pipeline
  readonly store: Store
  readonly clock: () => number
  /** Settles changes that a crash, or a token that failed, has left half done. */
  readonly settle: () => Promise<unknown>
  /** The same, and looks for what is unexplained: reads the whole token. */
  readonly reconcile: () => Promise<unknown>
  /** Told of a job that failed; the next round tries again. */
  readonly onFailure: (job: string, error: unknown) => void
}

/** What a job is given when it runs. */
export interface JobRun extends JobParts {
  /** Aborted when the service stops: what has not begun is left to the next start. */
  readonly signal: AbortSignal
}

/** What every job is given. */

import type { Pipeline } from '../pipeline/call.ts'
import type { Store } from '../store/store.ts'

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

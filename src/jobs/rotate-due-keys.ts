/** The job that rotates keys whose automatic rotation is due. */

import { callForEach } from './call-for-each.ts'
import type { JobRun } from './job.ts'

/** Rotates every enabled key whose rotation is due. */
export function rotateDueKeys(parts: JobRun): Promise<void> {
  const { store, clock } = parts
  return callForEach(parts, 'RotateDueKey', (most) => store.keys.dueForRotation(clock(), most))
}

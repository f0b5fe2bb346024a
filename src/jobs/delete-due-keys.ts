/** The job that destroys keys whose deletion window has ended. */

import { callForEach } from './call-for-each.ts'
import type { JobParts } from './job.ts'

/** Destroys every key that is PendingDeletion and whose window has ended. */
export function deleteDueKeys(parts: JobParts): Promise<void> {
  const { store, clock } = parts
  return callForEach(parts, 'DestroyDueKey', (most) => store.keys.dueForDeletion(clock(), most))
}

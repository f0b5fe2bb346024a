/** The job that destroys keys whose deletion window has ended. */

import { destructionIsOnHold } from '../lifecycle/destroy.ts'
import { callForEach } from './call-for-each.ts'
import type { JobRun } from './job.ts'

/**
 * Destroys every key that is PendingDeletion and whose window has ended.
 *
 * @throws Error while keys are due and destruction is on hold: told once a round, not per key.
 */
export async function deleteDueKeys(parts: JobRun): Promise<void> {
  const { store, clock } = parts
  const due = (most: number) => store.keys.dueForDeletion(clock(), most)
  if ((await due(1)).length === 0) return
  if (await destructionIsOnHold(parts)) {
    throw new Error('no key is destroyed while objects are in quarantine')
  }
  await callForEach(parts, 'DestroyDueKey', due)
}

/** The job that destroys imported material which has expired. */

import { destructionIsOnHold } from '../lifecycle/destroy.ts'
import { callForEach } from './call-for-each.ts'
import type { JobRun } from './job.ts'

/**
 * Destroys all imported material that has expired. It has been of no use since it did, so that
 * this may wait.
 *
 * @throws Error while material is due and destruction is on hold: an older store may not know of
 *   a later import.
 */
export async function expireDueMaterial(parts: JobRun): Promise<void> {
  const { store, clock } = parts
  const due = (most: number) => store.imports.dueForExpiry(clock(), most)
  if ((await due(1)).length === 0) return
  if (await destructionIsOnHold(parts)) {
    throw new Error('no key material is destroyed while objects are in quarantine')
  }
  await callForEach(parts, 'ExpireDueMaterial', due)
}

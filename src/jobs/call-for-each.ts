/** Calls a job's operation for each key that is due. */

import { randomUUID } from 'node:crypto'
import type { Caller } from '../model/caller.ts'
import type { Key } from '../model/key.ts'
import type { JobService } from '../operations/operation.ts'
import type { JobRun } from './job.ts'

/** How many keys a round takes on; the next round goes on. */
const KEYS_PER_ROUND = 1000

/**
 * Calls the operation for each key in turn, as keyslot itself in the key's account. A key whose
 * call fails is told of, and does not keep the others waiting.
 */
export async function callForEach(
  { pipeline, onFailure, signal }: JobRun,
  name: keyof JobService,
  due: (most: number) => Promise<readonly Key[]>,
): Promise<void> {
  for (const key of await due(KEYS_PER_ROUND)) {
    if (signal.aborted) return
    const caller: Caller = { arn: 'keyslot:jobs', account: key.account, kind: 'keyslot' }
    try {
      await pipeline.call(name, {
        door: 'jobs',
        requestId: randomUUID(),
        authenticate: () => caller,
        request: () => ({ keyId: key.keyId }),
        limits: {},
      })
    } catch (error) {
      onFailure(`${name} ${key.arn}`, error)
    }
  }
}

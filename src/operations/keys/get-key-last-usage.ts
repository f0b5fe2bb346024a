/** GetKeyLastUsage. */

import { anyState, keyById, operation } from '../operation.ts'

/**
 * Says what a key was last used for, and when, without looking into the audit log. A crash may lose
 * the uses of the last interval of the jobs. A key that has not been used is answered an empty use.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyLastUsage.html
 */
export const GetKeyLastUsage = operation('GetKeyLastUsage', {
  needs: { key: keyById({ aliases: false, states: anyState, grantable: false }) },
  changes: false,

  async run({ key, store }) {
    const use = await store.lastUses.find(key.keyId)
    return {
      keyId: key.keyId,
      keyLastUsage: use
        ? {
            operation: use.operation,
            timestamp: new Date(use.usedMs),
            cloudTrailEventId: use.requestId,
            kmsRequestId: use.requestId,
          }
        : {},
      trackingStartDate: new Date(Math.max(key.createdMs, await store.lastUses.sinceMs())),
      keyCreationDate: new Date(key.createdMs),
    }
  },
})

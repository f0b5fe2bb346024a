/** DestroyDueKey: keyslot's own, not an rpc. */

import type { Operations } from '../operation.ts'
import { key, operation } from '../operation.ts'

type Request = Operations['DestroyDueKey']['request']

/** Destroys a key whose deletion window has ended; the job names it. */
export const DestroyDueKey = operation('DestroyDueKey', {
  needs: {
    key: key<Request>(({ keyId }) => ({ text: keyId, aliases: false }), {
      permission: 'keyslot:DestroyDueKey',
      states: ['PendingDeletion'],
      grantable: false,
    }),
  },
  changes: true,

  async run({ key, lifecycle }) {
    await lifecycle.destroyKey(key)
    return {}
  },
})

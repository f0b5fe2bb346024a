/** DestroyDueKey: keyslot's own, not an rpc. */

import { fail } from '../../model/failures.ts'
import { key, type Operations, operation } from '../operation.ts'

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
    // The audit record must not say of a key that still is that it was destroyed.
    if (!(await lifecycle.destroyKey(key))) {
      fail('KMSInvalidStateException', `${key.arn} cannot be destroyed now.`)
    }
    return {}
  },
})

/** RotateDueKey: keyslot's own, not an rpc. */

import type { Operations } from '../operation.ts'
import { enabled, key, operation } from '../operation.ts'

type Request = Operations['RotateDueKey']['request']

/** Rotates a key whose automatic rotation is due; the job names it. */
export const RotateDueKey = operation('RotateDueKey', {
  needs: {
    key: key<Request>(({ keyId }) => ({ text: keyId, aliases: false }), {
      permission: 'keyslot:RotateDueKey',
      states: enabled,
      grantable: false,
    }),
  },
  changes: true,

  async run({ key, lifecycle, clock }) {
    // The list of the job may be older than a DisableKeyRotation.
    if (key.rotation && key.rotation.nextMs <= clock()) await lifecycle.rotateKey(key, 'AUTOMATIC')
    return {}
  },
})

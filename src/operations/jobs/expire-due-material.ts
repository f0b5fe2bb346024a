/** ExpireDueMaterial: keyslot's own, not an rpc. */

import { anyState, key, type Operations, operation } from '../operation.ts'

type Request = Operations['ExpireDueMaterial']['request']

/** Destroys the imported material of a key that has expired; the job names it. */
export const ExpireDueMaterial = operation('ExpireDueMaterial', {
  needs: {
    key: key<Request>(({ keyId }) => ({ text: keyId, aliases: false }), {
      permission: 'keyslot:ExpireDueMaterial',
      states: anyState,
      grantable: false,
    }),
  },
  changes: true,

  async run({ key, lifecycle }) {
    await lifecycle.expireMaterial(key)
    return {}
  },
})

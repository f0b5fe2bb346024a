/** DeleteAlias. */

import type { Operations } from '../operation.ts'
import { alias, anyState, key, operation } from '../operation.ts'
import { checkAliasName, refuseChanged } from './alias-rules.ts'

type Request = Operations['DeleteAlias']['request']

/**
 * Deletes an alias; its key stays. The permission is asked on both.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_DeleteAlias.html
 */
export const DeleteAlias = operation('DeleteAlias', {
  needs: {
    alias: alias(),
    key: key<Request>(({ aliasName }) => ({ text: aliasName, aliases: true }), {
      states: anyState,
      grantable: false,
    }),
  },
  changes: true,

  check: ({ aliasName }) => checkAliasName(aliasName),

  async run({ alias, key, home, store }) {
    if (!(await store.aliases.remove(home, alias.name, key.keyId))) refuseChanged(alias.arn)
    return {}
  },
})

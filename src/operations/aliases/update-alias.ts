/** UpdateAlias. */

import { fail } from '../../model/failures.ts'
import type { Operations } from '../operation.ts'
import { alias, anyState, key, operation, present } from '../operation.ts'
import { ALIASES_PER_KEY_MAX, checkAliasName } from './alias-rules.ts'

type Request = Operations['UpdateAlias']['request']

/**
 * Moves an alias to another key of the same kind. The permission is asked on the alias, on the
 * key it leaves and on the key it comes to.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdateAlias.html
 */
export const UpdateAlias = operation('UpdateAlias', {
  needs: {
    alias: alias(),
    current: key<Request>(({ aliasName }) => ({ text: aliasName, aliases: true }), {
      states: anyState,
      grantable: false,
    }),
    key: key<Request>(({ targetKeyId }) => ({ text: targetKeyId, aliases: false }), {
      states: present,
      grantable: false,
    }),
  },
  changes: true,

  check: ({ aliasName }) => checkAliasName(aliasName),

  async run({ alias, current, key, home, store, clock }) {
    if (current.spec !== key.spec || current.usage !== key.usage) {
      fail(
        'ValidationException',
        `${current.arn} and ${key.arn} are not of the same type and key usage.`,
      )
    }
    const moves = current.keyId !== key.keyId
    if (moves && (await store.aliases.count(key.keyId)) >= ALIASES_PER_KEY_MAX) {
      fail('LimitExceededException', `${key.arn} has ${ALIASES_PER_KEY_MAX} aliases already.`)
    }
    if (!(await store.aliases.retarget(home, alias.name, key.keyId, clock()))) {
      fail('NotFoundException', `Alias ${alias.arn} is not found.`)
    }
    return {}
  },
})

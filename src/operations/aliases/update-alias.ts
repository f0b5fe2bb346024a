/** UpdateAlias. */

import { fail } from '../../model/failures.ts'
import { ALIASES_PER_KEY_MAX } from '../../model/quotas.ts'
import type { Operations } from '../operation.ts'
import { alias, anyState, key, operation, present } from '../operation.ts'
import { checkAliasName, isSameType, refuseChanged } from './alias-rules.ts'

type Request = Operations['UpdateAlias']['request']

/**
 * Moves an alias to another key of the same type and usage. The permission is asked on the alias,
 * on the key it leaves and on the key it comes to.
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
    if (!isSameType(current, key)) {
      fail(
        'ValidationException',
        `${current.arn} and ${key.arn} are not of the same type and key usage.`,
      )
    }
    const outcome = await store.aliases.retarget(home, alias.name, {
      fromKeyId: current.keyId,
      toKeyId: key.keyId,
      nowMs: clock(),
      most: ALIASES_PER_KEY_MAX,
    })
    if (outcome === 'full') {
      fail('LimitExceededException', `${key.arn} has ${ALIASES_PER_KEY_MAX} aliases already.`)
    }
    if (outcome === 'gone') refuseChanged(alias.arn)
    return {}
  },
})

/** CreateAlias. */

import { fail } from '../../model/failures.ts'
import { ALIASES_PER_KEY_MAX } from '../../model/quotas.ts'
import type { Operations } from '../operation.ts'
import { alias, key, operation, present } from '../operation.ts'
import { checkAliasName } from './alias-rules.ts'

type Request = Operations['CreateAlias']['request']

/**
 * Makes an alias of a key in the same account and Region.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html
 */
export const CreateAlias = operation('CreateAlias', {
  needs: {
    alias: alias(),
    key: key<Request>(({ targetKeyId }) => ({ text: targetKeyId, aliases: false }), {
      states: present,
      grantable: false,
    }),
  },
  changes: true,

  check: ({ aliasName }) => checkAliasName(aliasName),

  async run({ alias, key, home, store, clock }) {
    const nowMs = clock()
    const made = {
      ...home,
      name: alias.name,
      arn: alias.arn,
      targetKeyId: key.keyId,
      createdMs: nowMs,
      updatedMs: nowMs,
    }
    const outcome = await store.aliases.insert(made, ALIASES_PER_KEY_MAX)
    if (outcome === 'exists') {
      fail('AlreadyExistsException', `An alias with the name ${alias.arn} already exists`)
    }
    if (outcome === 'full') {
      fail('LimitExceededException', `${key.arn} has ${ALIASES_PER_KEY_MAX} aliases already.`)
    }
    return {}
  },
})

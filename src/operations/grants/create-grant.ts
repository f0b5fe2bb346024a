/** CreateGrant. */

import { randomBytes } from 'node:crypto'
import { rootArn } from '../../model/arn.ts'
import { fail } from '../../model/failures.ts'
import { newGrantToken } from '../../model/grant-token.ts'
import type { KeyState } from '../../model/key.ts'
import { GRANTS_PER_KEY_MAX } from '../../model/quotas.ts'
import { type KeyNeed, keyById, type Operations, operation } from '../operation.ts'
import { grantConditions } from './grant-conditions.ts'
import { checkFits, checkGrant, constraintsOf, delegates, principalOf } from './grant-rules.ts'

type Request = Operations['CreateGrant']['request']

const states: readonly KeyState[] = ['Enabled', 'Unavailable']
const key: KeyNeed<Request> = {
  ...keyById({ aliases: false, states, grantable: true }),
  grantable: delegates,
}

/**
 * Adds a grant to a key; in effect when acknowledged, so that its token is not needed to use it.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html
 */
export const CreateGrant = operation('CreateGrant', {
  needs: { key },
  changes: true,

  check: checkGrant,
  conditions: grantConditions,

  async rehearse({ request, key, store }) {
    checkFits(key, request)
    await principalOf(store, request.granteePrincipal)
    if (request.retiringPrincipal) await principalOf(store, request.retiringPrincipal)
  },

  async run({ request, key, caller, store, clock }) {
    checkFits(key, request)
    const { granteePrincipal, retiringPrincipal, constraints, name = '' } = request
    const grant = {
      grantId: randomBytes(32).toString('hex'),
      keyId: key.keyId,
      name,
      grantee: await principalOf(store, granteePrincipal),
      retiring: retiringPrincipal ? await principalOf(store, retiringPrincipal) : undefined,
      issuingAccount: rootArn(caller.account),
      operations: [...new Set(request.operations)],
      constraints: constraintsOf(constraints),
      createdMs: clock(),
      tokenKey: randomBytes(32).toString('hex'),
    }
    const made = await store.grants.insert(grant, GRANTS_PER_KEY_MAX)
    if (made === 'full') {
      fail('LimitExceededException', `${key.arn} has ${GRANTS_PER_KEY_MAX} grants already.`)
    }
    const { account } = key
    return { grantId: made.grantId, grantToken: newGrantToken({ ...made, account }) }
  },
})

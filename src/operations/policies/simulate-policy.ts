/** SimulatePolicy: keyslot's own, without a counterpart in AWS KMS. */

import { aliasNameIn } from '../../model/arn.ts'
import { fail } from '../../model/failures.ts'
import { GRANT_OPERATIONS } from '../../model/grant.ts'
import type { Operations } from '../operation.ts'
import { account, anyState, maybeKey, operation } from '../operation.ts'
import { simulated } from './simulated.ts'

type Request = Operations['SimulatePolicy']['request']

const grantable = new Set<string>(GRANT_OPERATIONS.map((name) => `kms:${name}`))

/** Says what would be decided if a principal of the caller's account asked for something. */
export const SimulatePolicy = operation('SimulatePolicy', {
  needs: {
    key: maybeKey<Request>(
      ({ keyId }) => (keyId === undefined ? undefined : { text: keyId, aliases: true }),
      { states: anyState, grantable: false },
    ),
    account: account<Request>(undefined, ({ keyId }) => keyId === undefined),
  },
  changes: false,

  async run({ request, key, home, authority }) {
    const { principalArn, action, keyId, encryptionContext, conditions } = request
    const caller = await authority.principal(principalArn)
    // What the policies of another account say is that account's to know.
    if (caller?.account !== home.account) {
      fail('NotFoundException', `${principalArn} is no principal of the account.`)
    }
    const decision = await authority.decide({
      caller,
      permission: action,
      resource: key ?? { ...home, arn: '*' },
      key,
      aliasName: keyId && aliasNameIn(keyId),
      conditions: { ...Object.fromEntries(conditions), 'kms:EncryptionContext': encryptionContext },
      call: { secureTransport: true },
      grantable: grantable.has(action),
      otherAccounts: true,
    })
    return simulated(decision)
  },
})

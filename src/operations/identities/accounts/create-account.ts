/** CreateAccount. */

import { randomInt } from 'node:crypto'
import { fail } from '../../../model/failures.ts'
import { OWN_ACCOUNT } from '../../../model/identities/principal.ts'
import { operation } from '../../operation.ts'
import { installation } from '../../principals.ts'
import { describedAccount } from '../described.ts'

/**
 * Makes an account, with its root.
 * https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccount.html
 */
export const CreateAccount = operation('CreateAccount', {
  needs: { installation: installation('organizations:CreateAccount') },
  changes: true,

  check({ account }) {
    if (account === OWN_ACCOUNT) fail('ValidationException', `${account} is nobody's account.`)
  },

  async run({ request, store, clock }) {
    const number = request.account ?? String(randomInt(1e11, 1e12))
    const account = { account: number, name: request.accountName, createdMs: clock() }
    if (!(await store.identities.accounts.insert(account))) {
      fail('EntityAlreadyExistsException', `There is an account ${number} already.`)
    }
    return { account: describedAccount(account) }
  },
})

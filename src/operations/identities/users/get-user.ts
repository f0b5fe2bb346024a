/** GetUser. */

import { operation } from '../../operation.ts'
import { userOrSelf } from '../../principals.ts'
import { describedAccount, describedUser } from '../described.ts'
import { existing } from '../principal-rules.ts'

/**
 * Describes a user, or whoever calls: of a root its account.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUser.html
 */
export const GetUser = operation('GetUser', {
  needs: { user: userOrSelf('iam:GetUser') },
  changes: false,

  async run({ user, store }) {
    if (user.kind !== 'root') return { user: describedUser(existing(user)) }
    const account = await store.identities.accounts.find(user.account)
    const { arn, id, name, joinedTimestamp } = describedAccount(
      account ?? { account: user.account, name: '', createdMs: 0 },
    )
    const root = { path: '/', userName: name, userId: id, arn, tags: [] }
    return { user: { ...root, createDate: joinedTimestamp } }
  },
})

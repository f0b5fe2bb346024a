/** ListAccessKeys. */

import { operation } from '../../operation.ts'
import { page } from '../../page.ts'
import { userOrSelf } from '../../principals.ts'
import { describedAccessKey } from '../described.ts'
import { ownerOf } from './access-key-rules.ts'

/**
 * Lists the access keys of a user, or of the root that calls.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccessKeys.html
 */
export const ListAccessKeys = operation('ListAccessKeys', {
  needs: { user: userOrSelf('iam:ListAccessKeys') },
  changes: false,

  async run({ request, user, home, store }) {
    const owner = ownerOf(user)
    const { items, ...rest } = await page({
      query: { operation: 'ListAccessKeys', place: home, filter: user.arn },
      request,
      defaultLimit: 100,
      limitMax: 1000,
      read: (wanted) => store.identities.accessKeys.list(owner, wanted),
      keyOf: ({ accessKeyId }) => accessKeyId,
    })
    return { accessKeyMetadata: items.map((key) => describedAccessKey(key, owner.name)), ...rest }
  },
})

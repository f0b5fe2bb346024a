/** UpdateAccessKey. */

import { operation } from '../../operation.ts'
import { userOrSelf } from '../../principals.ts'
import { noAccessKey, ownerOf } from './access-key-rules.ts'

/**
 * Switches an access key on or off; in effect when acknowledged.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccessKey.html
 */
export const UpdateAccessKey = operation('UpdateAccessKey', {
  needs: { user: userOrSelf('iam:UpdateAccessKey') },
  changes: true,

  async run({ request, user, store }) {
    const { accessKeyId, status = 'Inactive' } = request
    const { accessKeys } = store.identities
    const done = await accessKeys.setStatus(ownerOf(user), accessKeyId, status)
    return done ? {} : noAccessKey(accessKeyId)
  },
})

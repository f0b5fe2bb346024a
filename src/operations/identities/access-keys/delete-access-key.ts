/** DeleteAccessKey. */

import { operation } from '../../operation.ts'
import { userOrSelf } from '../../principals.ts'
import { noAccessKey, ownerOf } from './access-key-rules.ts'

/**
 * Deletes an access key; in effect when acknowledged.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteAccessKey.html
 */
export const DeleteAccessKey = operation('DeleteAccessKey', {
  needs: { user: userOrSelf('iam:DeleteAccessKey') },
  changes: true,

  async run({ request, user, store }) {
    const { accessKeyId } = request
    const done = await store.identities.accessKeys.remove(ownerOf(user), accessKeyId)
    return done ? {} : noAccessKey(accessKeyId)
  },
})

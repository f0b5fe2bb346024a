/** DeleteOpenIDConnectProvider. */

import { operation } from '../../operation.ts'
import { provider } from '../../principals.ts'

/**
 * Deletes an identity provider; content, as IAM is, if there is none.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteOpenIDConnectProvider.html
 */
export const DeleteOpenIDConnectProvider = operation('DeleteOpenIDConnectProvider', {
  needs: { provider: provider('iam:DeleteOpenIDConnectProvider') },
  changes: true,

  async run({ provider, store }) {
    await store.identities.providers.remove(provider.arn)
    return {}
  },
})

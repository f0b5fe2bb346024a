/** GetOpenIDConnectProvider. */

import { operation } from '../../operation.ts'
import { provider } from '../../principals.ts'
import { existingProvider } from './provider-rules.ts'

/**
 * Describes an identity provider.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetOpenIDConnectProvider.html
 */
export const GetOpenIDConnectProvider = operation('GetOpenIDConnectProvider', {
  needs: { provider: provider('iam:GetOpenIDConnectProvider') },
  changes: false,

  async run({ provider, store }) {
    const found = await existingProvider(store, provider.arn)
    const { issuer: url, jwks, defaultRoleArn, sessionTags } = found
    const createDate = new Date(found.createdMs)
    const clientIdList = [...found.audiences]
    return { url, clientIdList, jwks, defaultRoleArn, sessionTags, createDate }
  },
})

/** UpdateOpenIDConnectProvider: keyslot's own, for what IAM has several operations for. */

import type { Operations } from '../../operation.ts'
import { operation } from '../../operation.ts'
import { installation, provider } from '../../principals.ts'
import { checkProvider, noProvider, saidOfProvider, takesOperator } from './provider-rules.ts'

type Request = Operations['UpdateOpenIDConnectProvider']['request']

/** Changes an identity provider: all but its issuer. What takes the operator there does here. */
export const UpdateOpenIDConnectProvider = operation('UpdateOpenIDConnectProvider', {
  needs: {
    provider: provider('iam:UpdateOpenIDConnectProvider'),
    operator: installation<Request>('iam:UpdateOpenIDConnectProvider', takesOperator),
  },
  changes: true,

  check: checkProvider,

  async run({ request, provider, store }) {
    const { providers } = store.identities
    const said = saidOfProvider(request, provider.account)
    const changed = await providers.change(provider.arn, (now) => ({ ...now, ...said }))
    return changed ? {} : noProvider(provider.arn)
  },
})

/** CreateOpenIDConnectProvider. */

import { fail } from '../../../model/failures.ts'
import { PROVIDERS_MAX } from '../../../model/quotas.ts'
import type { Operations } from '../../operation.ts'
import { operation } from '../../operation.ts'
import { installation, newProvider } from '../../principals.ts'
import { checkProvider, saidOfProvider, takesOperator } from './provider-rules.ts'

type Request = Operations['CreateOpenIDConnectProvider']['request']

/**
 * Names an issuer of JSON Web Tokens. To have its keys fetched without TLS, and to give it a default
 * role, takes the operator.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html
 */
export const CreateOpenIDConnectProvider = operation('CreateOpenIDConnectProvider', {
  needs: {
    provider: newProvider('iam:CreateOpenIDConnectProvider'),
    operator: installation<Request>('iam:CreateOpenIDConnectProvider', takesOperator),
  },
  changes: true,

  check: checkProvider,

  async run({ request, provider, store, clock }) {
    const { arn, account } = provider
    const made = { arn, account, issuer: request.url, createdMs: clock() }
    const whole = { ...made, ...saidOfProvider(request, account) }
    const outcome = await store.identities.providers.insert(whole, PROVIDERS_MAX)
    if (outcome === 'exists') {
      fail('EntityAlreadyExistsException', `Provider with url ${request.url} already exists.`)
    }
    if (outcome === 'full') {
      fail('LimitExceededException', `The account has ${PROVIDERS_MAX} identity providers.`)
    }
    return { openIdConnectProviderArn: arn }
  },
})

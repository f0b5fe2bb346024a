/** CreateKey. */

import { randomUUID } from 'node:crypto'
import { keyArn } from '../../model/arn.ts'
import { defaultKeyPolicy } from '../../policy/default-policy.ts'
import type { Operations } from '../operation.ts'
import { account, operation } from '../operation.ts'
import { keyPolicyOf } from '../policies/key-policy-rules.ts'
import { checkTags, tagConditions, tagsOf } from '../tags/tag-rules.ts'
import { keyMetadata } from './key-metadata.ts'
import { kindOfNewKey, originOfNewKey, refuseWhatIsNotOffered } from './new-key-rules.ts'

type Request = Operations['CreateKey']['request']

/**
 * Makes a KMS key, its material inside the HSM; of origin EXTERNAL without any.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html
 */
export const CreateKey = operation('CreateKey', {
  needs: {
    account: account(),
    tags: account<Request>('kms:TagResource', ({ tags }) => tags.length > 0),
  },
  changes: true,

  check(request) {
    refuseWhatIsNotOffered(request)
    checkTags(request.tags)
  },

  conditions(request) {
    const { spec, usage } = kindOfNewKey(request)
    return {
      'kms:KeySpec': spec,
      'kms:KeyUsage': usage,
      'kms:KeyOrigin': request.origin,
      'kms:MultiRegion': request.multiRegion,
      'kms:BypassPolicyLockoutSafetyCheck': request.bypassPolicyLockoutSafetyCheck,
      ...tagConditions(request.tags),
    }
  },

  async run({ request, home, caller, conditions, store, lifecycle }) {
    const keyId = randomUUID()
    const { policy: text, bypassPolicyLockoutSafetyCheck } = request
    const resource = { arn: keyArn(home, keyId), account: home.account }
    const call = { caller, conditions, resource, bypassPolicyLockoutSafetyCheck }
    const key = await lifecycle.createKey({
      place: home,
      keyId,
      policy: await keyPolicyOf(store, { text: text || defaultKeyPolicy(home.account), ...call }),
      description: request.description,
      ...kindOfNewKey(request),
      origin: originOfNewKey(request),
      manager: 'CUSTOMER',
      tags: tagsOf(request.tags),
    })
    return { keyMetadata: keyMetadata(key) }
  },
})

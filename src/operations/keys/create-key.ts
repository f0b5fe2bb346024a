/** CreateKey. */

import { fail } from '../../model/failures.ts'
import { keySpecRow } from '../../model/key-specs.ts'
import type { Operations } from '../operation.ts'
import { account, operation } from '../operation.ts'
import { checkTags, tagsOf } from '../tags/tag-rules.ts'
import { keyMetadata } from './key-metadata.ts'

type Request = Operations['CreateKey']['request']

/**
 * Makes a KMS key, its material inside the HSM.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html
 */
export const CreateKey = operation('CreateKey', {
  needs: {
    account: account(),
    tags: account<Request>('kms:TagResource', ({ tags }) => tags.length > 0),
  },
  changes: true,

  check(request) {
    if (request.keySpec && request.customerMasterKeySpec) {
      fail(
        'ValidationException',
        'You cannot specify KeySpec and CustomerMasterKeySpec in the same request. ' +
          'CustomerMasterKeySpec is deprecated.',
      )
    }
    const { spec, usage } = kindOf(request)
    const { usages } = keySpecRow(spec)
    if (!usages.includes(usage)) {
      fail('ValidationException', `KeyUsage ${usage} is not compatible with KeySpec ${spec}`)
    }
    refuseWhatIsNotOffered(request)
    checkTags(request.tags)
  },

  conditions: (request) => ({
    'kms:KeySpec': kindOf(request).spec,
    'kms:KeyUsage': kindOf(request).usage,
    'kms:KeyOrigin': request.origin,
    'kms:MultiRegion': request.multiRegion,
    'kms:BypassPolicyLockoutSafetyCheck': request.bypassPolicyLockoutSafetyCheck,
    'aws:TagKeys': request.tags.map(({ tagKey }) => tagKey),
  }),

  async run({ request, account, lifecycle }) {
    const key = await lifecycle.createKey({
      place: { account: account.account, region: account.region },
      description: request.description,
      ...kindOf(request),
      tags: tagsOf(request.tags),
    })
    return { keyMetadata: keyMetadata(key) }
  },
})

function kindOf(request: Request) {
  const spec = request.keySpec ?? request.customerMasterKeySpec ?? 'SYMMETRIC_DEFAULT'
  const usage = request.keyUsage ?? (spec === 'SYMMETRIC_DEFAULT' ? 'ENCRYPT_DECRYPT' : undefined)
  if (!usage) fail('ValidationException', `You must specify a KeyUsage value for KeySpec ${spec}.`)
  return { spec, usage }
}

function refuseWhatIsNotOffered(request: Request): void {
  const refuse = (what: string) =>
    fail('UnsupportedOperationException', `This version of keyslot does not offer ${what}.`)
  const { spec } = kindOf(request)
  if (!keySpecRow(spec).offered) refuse(`KeySpec ${spec}`)
  if (request.origin !== 'AWS_KMS') refuse(`Origin ${request.origin}`)
  if (request.customKeyStoreId !== undefined) refuse('custom key stores')
  if (request.xksKeyId !== undefined) refuse('external key stores')
  if (request.multiRegion) refuse('multi-Region keys')
  if (request.policy !== '' || request.bypassPolicyLockoutSafetyCheck) refuse('key policies')
}

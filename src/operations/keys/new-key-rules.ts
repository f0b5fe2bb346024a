/** What CreateKey may be asked for. */

import { fail } from '../../model/failures.ts'
import { type KeySpec, type KeyUsage, keySpecRow } from '../../model/key-specs.ts'
import type { Operations } from '../operation.ts'

type Request = Operations['CreateKey']['request']

/**
 * The spec and the usage of the new key.
 *
 * @throws KmsError ValidationException when they contradict each other or are missing.
 */
export function kindOfNewKey(request: Request): { spec: KeySpec; usage: KeyUsage } {
  const { keySpec, customerMasterKeySpec } = request
  if (keySpec && customerMasterKeySpec) {
    fail(
      'ValidationException',
      'You cannot specify KeySpec and CustomerMasterKeySpec in the same request. ' +
        'CustomerMasterKeySpec is deprecated.',
    )
  }
  const spec = keySpec ?? customerMasterKeySpec ?? 'SYMMETRIC_DEFAULT'
  const usage = request.keyUsage ?? (spec === 'SYMMETRIC_DEFAULT' ? 'ENCRYPT_DECRYPT' : undefined)
  if (!usage) fail('ValidationException', `You must specify a KeyUsage value for KeySpec ${spec}.`)
  if (!keySpecRow(spec).usages.includes(usage)) {
    fail('ValidationException', `KeyUsage ${usage} is not compatible with KeySpec ${spec}`)
  }
  return { spec, usage }
}

/**
 * Refuses what AWS KMS offers and this version of keyslot does not.
 *
 * @throws KmsError UnsupportedOperationException.
 */
export function refuseWhatIsNotOffered(request: Request): void {
  const refuse = (what: string) =>
    fail('UnsupportedOperationException', `This version of keyslot does not offer ${what}.`)
  const { spec } = kindOfNewKey(request)
  const { refused } = keySpecRow(spec)
  if (refused !== undefined) refuse(`KeySpec ${spec}: ${refused}`)
  originOfNewKey(request)
  if (request.customKeyStoreId !== undefined) refuse('custom key stores')
  if (request.xksKeyId !== undefined) refuse('external key stores')
  if (request.multiRegion) refuse('multi-Region keys')
}

/**
 * Where the material of the new key comes from.
 *
 * @throws KmsError UnsupportedOperationException for the custom key stores' origins.
 */
export function originOfNewKey({ origin = 'AWS_KMS' }: Request): 'AWS_KMS' | 'EXTERNAL' {
  if (origin === 'AWS_KMS' || origin === 'EXTERNAL') return origin
  const what = `This version of keyslot does not offer Origin ${origin}.`
  return fail('UnsupportedOperationException', what)
}

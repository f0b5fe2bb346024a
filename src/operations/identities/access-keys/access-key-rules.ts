/** What operations on access keys share. */

import { fail } from '../../../model/failures.ts'
import type { AccessKeysOf } from '../../../store/identities/store.ts'
import type { PrincipalResource } from '../../principals.ts'
import { existing } from '../principal-rules.ts'

/** Whose access keys a request means: those of a user, or of the root that calls. */
export function ownerOf(resource: PrincipalResource): AccessKeysOf & { readonly name: string } {
  const { account, kind } = resource
  if (kind === 'root') return { account, name: account }
  const { principalId, name } = existing(resource)
  return { account, principalId, name }
}

/** Says that the owner has no such access key. */
export function noAccessKey(accessKeyId: string): never {
  fail('NoSuchEntityException', `The Access Key with id ${accessKeyId} cannot be found.`)
}

/** RetireGrant. */

import { fail } from '../../model/failures.ts'
import { noSuchGrant } from '../../model/grant.ts'
import { type GrantName, type Operations, operation, retirable } from '../operation.ts'
import { checkGrantId } from './grant-id.ts'

type Request = Operations['RetireGrant']['request']

/**
 * Deletes a grant, by those for whom it was made: its retiring principal, its grantee if the grant
 * says so, the account that made it and the account of the key. The key's policy has no say.
 * https://docs.aws.amazon.com/kms/latest/developerguide/grant-delete.html
 */
export const RetireGrant = operation('RetireGrant', {
  needs: { grant: retirable<Request>(nameOf) },
  changes: true,

  check(request) {
    checkGrantId(request.grantId)
    nameOf(request)
  },

  async run({ grant: { grant }, store }) {
    if (!(await store.grants.remove(grant.keyId, grant.grantId))) noSuchGrant(grant.grantId)
    return {}
  },
})

function nameOf({ grantToken, keyId, grantId }: Request): GrantName {
  if (grantToken !== undefined && keyId === undefined && grantId === undefined) {
    return { token: grantToken }
  }
  if (grantToken === undefined && keyId !== undefined && grantId !== undefined) {
    return { keyId, grantId }
  }
  fail('ValidationException', 'Specify either GrantToken, or both KeyId and GrantId.')
}

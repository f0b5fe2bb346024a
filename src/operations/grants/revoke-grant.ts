/** RevokeGrant. */

import { noSuchGrant } from '../../model/grant.ts'
import { anyState, keyById, operation } from '../operation.ts'
import { checkGrantId } from './grant-id.ts'

/**
 * Deletes a grant of a key; nobody uses it any more when this is acknowledged.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_RevokeGrant.html
 */
export const RevokeGrant = operation('RevokeGrant', {
  needs: {
    key: keyById({ aliases: false, states: anyState, grantable: false, otherAccounts: true }),
  },
  changes: true,

  check: ({ grantId }) => checkGrantId(grantId),

  async rehearse({ request, key, store }) {
    const found = await store.grants.find(request.grantId)
    if (found?.keyId !== key.keyId) noSuchGrant(request.grantId)
  },

  async run({ request, key, store }) {
    if (!(await store.grants.remove(key.keyId, request.grantId))) noSuchGrant(request.grantId)
    return {}
  },
})

/** CreateAccessKey. */

import { fail } from '../../../model/failures.ts'
import { newAccessKey } from '../../../model/identities/principal.ts'
import { accessKeyContext } from '../../../model/identities/session.ts'
import { ACCESS_KEYS_MAX } from '../../../model/quotas.ts'
import { operation } from '../../operation.ts'
import { userOrSelf } from '../../principals.ts'
import { describedAccessKey } from '../described.ts'
import { existing } from '../principal-rules.ts'
import { ownerOf } from './access-key-rules.ts'

/**
 * Makes an access key, whose secret is kept only encrypted by a key in the HSM.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html
 */
export const CreateAccessKey = operation('CreateAccessKey', {
  needs: { user: userOrSelf('iam:CreateAccessKey') },
  changes: true,

  check({ accessKeyId, secretAccessKey }) {
    if ((accessKeyId === undefined) !== (secretAccessKey === undefined)) {
      fail(
        'ValidationException',
        'AccessKeyId and SecretAccessKey are given together or not at all.',
      )
    }
  },

  async run({ request, user, store, sealer, clock }) {
    const owner = ownerOf(user)
    const fresh = newAccessKey('AKIA')
    const { accessKeyId = fresh.accessKeyId } = request
    const { secretAccessKey = fresh.secretAccessKey } = request
    const sealed = await sealer.seal(Buffer.from(secretAccessKey), accessKeyContext(accessKeyId))
    const { account, principalId, name } = owner
    const status = 'Active' as const
    const key = { accessKeyId, account, principalId, status, createdMs: clock() }
    const sealedSecret = sealed.toString('base64')
    const insert = store.identities.accessKeys.insert({ ...key, sealedSecret }, ACCESS_KEYS_MAX)
    const outcome = await insert
    if (outcome === 'gone') existing({ ...user, principal: undefined })
    if (outcome === 'exists') {
      fail('EntityAlreadyExistsException', `There is an access key ${accessKeyId} already.`)
    }
    if (outcome === 'full') {
      fail('LimitExceededException', `${name} may have ${ACCESS_KEYS_MAX} access keys.`)
    }
    return { accessKey: { ...describedAccessKey(key, name), secretAccessKey } }
  },
})

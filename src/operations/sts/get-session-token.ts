/** GetSessionToken. */

import { fail } from '../../model/failures.ts'
import { operation } from '../operation.ts'
import { anybody } from '../principals.ts'
import { checkSession, newSession } from './new-session.ts'

/** How long a session of a root may last, in seconds. */
const ROOT_SECONDS_MAX = 3600

/**
 * Makes temporary credentials of the user or root who calls.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
 */
export const GetSessionToken = operation('GetSessionToken', {
  needs: { anybody: anybody('sts:GetSessionToken') },
  changes: false,

  check: checkSession,

  async run({ request, caller, sealer, clock }) {
    const { kind, account, principalId, issuedMs } = caller
    if ((kind !== 'user' && kind !== 'root') || issuedMs !== undefined) {
      fail('AccessDeniedException', 'Cannot call GetSessionToken with session credentials')
    }
    const { durationSeconds: asked = 43_200 } = request
    const durationSeconds = kind === 'root' ? Math.min(asked, ROOT_SECONDS_MAX) : asked
    const whose = { account, principalId: kind === 'user' ? principalId : undefined }
    const session = { ...whose, tags: new Map(), policies: [], durationSeconds }
    const { credentials } = await newSession({ sealer, clock }, session)
    return { credentials }
  },
})

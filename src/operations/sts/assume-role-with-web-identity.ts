/** AssumeRoleWithWebIdentity. */

import { fail } from '../../model/failures.ts'
import { operation } from '../operation.ts'
import { roleToAssume } from '../principals.ts'
import { assumedRoleUser, checkDuration, checkSession, newSession } from './new-session.ts'

/**
 * Begins a session of a role whose trust policy lets the holder of a JSON Web Token. Session tags
 * are those that the identity provider takes from the token's claims.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 */
export const AssumeRoleWithWebIdentity = operation('AssumeRoleWithWebIdentity', {
  needs: { role: roleToAssume('sts:AssumeRoleWithWebIdentity') },
  changes: false,

  identifies: ({ webIdentityToken, roleArn }) => ({ webIdentityToken, roleArn }),

  check(request) {
    checkSession(request)
    if (request.providerId !== undefined) {
      fail('ValidationException', 'keyslot takes no OAuth 2.0 access tokens: give no ProviderId.')
    }
  },

  conditions: ({ roleSessionName }) => ({ 'sts:RoleSessionName': roleSessionName }),

  async run({ request, role, caller, sealer, clock }) {
    const { durationSeconds = 3600, roleSessionName, policy } = request
    checkDuration(durationSeconds, role.sessionSecondsMax)
    const { issuer = '', subject = '', audience = '', tags = new Map() } = caller.webIdentity ?? {}
    const { account, principalId } = role
    const policies = policy === undefined ? [] : [policy]
    const session = { account, principalId, sessionName: roleSessionName, tags, policies }
    const made = await newSession({ sealer, clock }, { ...session, durationSeconds })
    return {
      ...made,
      subjectFromWebIdentityToken: subject,
      assumedRoleUser: assumedRoleUser(role, roleSessionName),
      provider: issuer,
      audience,
    }
  },
})

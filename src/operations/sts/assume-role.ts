/** AssumeRole. */

import { checkPrincipalTags, tagConditions } from '../identities/principal-rules.ts'
import { type Operations, operation } from '../operation.ts'
import { roleToAssume } from '../principals.ts'
import {
  assumedRoleUser,
  checkDuration,
  checkSession,
  hasSourceIdentity,
  isTemporary,
  newSession,
  sourceIdentityOf,
} from './new-session.ts'

type Request = Operations['AssumeRole']['request']

/**
 * Begins a session of a role whose trust policy lets the caller.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
export const AssumeRole = operation('AssumeRole', {
  needs: {
    role: roleToAssume('sts:AssumeRole'),
    tagged: roleToAssume<Request>('sts:TagSession', ({ tags }) => tags.length > 0),
    spoken: roleToAssume<Request>('sts:SetSourceIdentity', hasSourceIdentity),
  },
  changes: false,

  check(request) {
    checkSession(request)
    checkPrincipalTags(request.tags)
  },

  conditions: ({ roleSessionName, externalId, sourceIdentity, tags }) => ({
    'sts:RoleSessionName': roleSessionName,
    'sts:ExternalId': externalId,
    'sts:SourceIdentity': sourceIdentity,
    ...(tags.length > 0 && tagConditions(tags)),
  }),

  async run({ request, role, caller, sealer, clock }) {
    const { durationSeconds = 3600, roleSessionName, tags, policy } = request
    checkDuration(durationSeconds, role.sessionSecondsMax, isTemporary(caller))
    const sourceIdentity = sourceIdentityOf(request, caller)
    const made = await newSession(
      { sealer, clock },
      {
        account: role.account,
        principalId: role.principalId,
        sessionName: roleSessionName,
        tags: new Map(tags.map(({ key, value }) => [key, value])),
        policies: policy === undefined ? [] : [policy],
        sourceIdentity,
        durationSeconds,
      },
    )
    return { ...made, assumedRoleUser: assumedRoleUser(role, roleSessionName), sourceIdentity }
  },
})

/** AssumeRole. */

import { checkPrincipalTags, tagConditions } from '../identities/principal-rules.ts'
import { type Operations, operation } from '../operation.ts'
import { roleToAssume } from '../principals.ts'
import { assumedRoleUser, checkDuration, checkSession, newSession } from './new-session.ts'

type Request = Operations['AssumeRole']['request']

const HOUR_SECONDS = 3600

const isSpoken = ({ sourceIdentity }: Request) => sourceIdentity !== undefined

/**
 * Begins a session of a role whose trust policy lets the caller.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
export const AssumeRole = operation('AssumeRole', {
  needs: {
    role: roleToAssume('sts:AssumeRole'),
    tagged: roleToAssume<Request>('sts:TagSession', ({ tags }) => tags.length > 0),
    spoken: roleToAssume<Request>('sts:SetSourceIdentity', isSpoken),
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
    const { durationSeconds = HOUR_SECONDS, roleSessionName, tags, policy } = request
    // A session that begins another may do so for an hour.
    const most = caller.kind === 'role' ? HOUR_SECONDS : (role.sessionSecondsMax ?? 0)
    checkDuration(durationSeconds, most)
    const { account, principalId } = role
    const made = await newSession(
      { sealer, clock },
      {
        account,
        principalId,
        sessionName: roleSessionName,
        tags: new Map(tags.map(({ key, value }) => [key, value])),
        policies: policy === undefined ? [] : [policy],
        sourceIdentity: request.sourceIdentity ?? caller.sourceIdentity,
        durationSeconds,
      },
    )
    return { ...made, assumedRoleUser: assumedRoleUser(role, roleSessionName) }
  },
})

/** The beginning of sessions. */

import type { Caller } from '../../model/caller.ts'
import { fail } from '../../model/failures.ts'
import { newAccessKey, type Principal, sessionArn } from '../../model/identities/principal.ts'
import {
  PACKED_BYTES_MAX,
  packSession,
  type Session,
  sessionContext,
} from '../../model/identities/session.ts'
import { compilePolicy } from '../../policy/document.ts'
import type { Services } from '../operation.ts'

/** What is said of a new session. */
type NewSession = Omit<Session, 'accessKeyId' | 'secretAccessKey' | 'issuedMs' | 'expiresMs'> & {
  readonly durationSeconds: number
}

/** Temporary credentials, as answers have them. */
export interface NewCredentials {
  readonly credentials: {
    readonly accessKeyId: string
    readonly secretAccessKey: string
    readonly sessionToken: string
    readonly expiration: Date
  }
  /** How much of what tags and policies may take is taken, in per cent; absent without any. */
  readonly packedPolicySize?: number
}

/**
 * Refuses what is not a session policy, what would bound the session if keyslot had it, and a second
 * factor, which would be believed without having been looked at.
 */
export function checkSession(asked: {
  readonly policy?: string
  readonly policyArns?: readonly unknown[]
  readonly transitiveTagKeys?: readonly string[]
  readonly providedContexts?: readonly unknown[]
  readonly serialNumber?: string
  readonly tokenCode?: string
}): void {
  const { policyArns = [], transitiveTagKeys = [], providedContexts = [] } = asked
  if (policyArns.length > 0) {
    fail('ValidationException', 'keyslot has no managed policies: give Policy, and no PolicyArns.')
  }
  if (transitiveTagKeys.length > 0) {
    fail(
      'ValidationException',
      'keyslot has no transitive session tags: give no TransitiveTagKeys.',
    )
  }
  if (providedContexts.length > 0) {
    fail('ValidationException', 'keyslot knows no context providers: give no ProvidedContexts.')
  }
  if (asked.serialNumber !== undefined || asked.tokenCode !== undefined) {
    fail('AccessDeniedException', 'MultiFactorAuthentication failed: keyslot knows no MFA devices.')
  }
  if (asked.policy !== undefined) compilePolicy(asked.policy, 'session')
}

/** Whether a caller uses temporary credentials. */
export function isTemporary({ kind, issuedMs }: Caller): boolean {
  return kind === 'role' || issuedMs !== undefined
}

/** How long a session may last at most that is begun by temporary credentials, in seconds. */
const CHAINED_SECONDS_MAX = 3600

/** Refuses a session that would last longer than it may, in seconds. */
export function checkDuration(durationSeconds: number, most = 0, isChained = false): void {
  if (isChained && durationSeconds > CHAINED_SECONDS_MAX) {
    const what = 'exceeds the 1 hour session limit for roles assumed by role chaining'
    fail('ValidationException', `The requested DurationSeconds ${what}.`)
  }
  if (durationSeconds <= most) return
  const what = 'exceeds the MaxSessionDuration set for this role'
  fail('ValidationException', `The requested DurationSeconds ${what}.`)
}

interface Spoken {
  readonly sourceIdentity?: string
}

/** Whether a session will say whom it is for: who begins it says so, or says so of itself. */
export function hasSourceIdentity(asked: Spoken, caller: Spoken): boolean {
  return (asked.sourceIdentity ?? caller.sourceIdentity) !== undefined
}

/** Whom a session is for: what was said first stays, in every session that it leads to. */
export function sourceIdentityOf(asked: Spoken, caller: Spoken): string | undefined {
  const { sourceIdentity = asked.sourceIdentity } = caller
  if (asked.sourceIdentity === undefined || asked.sourceIdentity === sourceIdentity) {
    return sourceIdentity
  }
  return fail('AccessDeniedException', 'The source identity of a session cannot be changed.')
}

/**
 * Begins a session.
 *
 * @throws KmsError PackedPolicyTooLargeException.
 */
export async function newSession(
  { sealer, clock }: Pick<Services, 'sealer' | 'clock'>,
  { durationSeconds, ...session }: NewSession,
): Promise<NewCredentials> {
  const issuedMs = clock()
  const expiresMs = issuedMs + durationSeconds * 1000
  const { accessKeyId, secretAccessKey } = newAccessKey('ASIA')
  const packed = packSession({ ...session, accessKeyId, secretAccessKey, issuedMs, expiresMs })
  const isBounded = session.policies.length > 0 || session.tags.size > 0
  const packedPolicySize = isBounded
    ? Math.ceil((packed.length * 100) / PACKED_BYTES_MAX)
    : undefined
  try {
    const sealed = await sealer.seal(packed, sessionContext(accessKeyId))
    const sessionToken = sealed.toString('base64')
    const expiration = new Date(expiresMs)
    const credentials = { accessKeyId, secretAccessKey, sessionToken, expiration }
    return { credentials, packedPolicySize }
  } finally {
    packed.fill(0)
  }
}

/** A session of a role, as answers have it. */
export function assumedRoleUser({ principalId, account, name }: Principal, session: string) {
  return {
    assumedRoleId: `${principalId}:${session}`,
    arn: sessionArn(account, name, session),
  }
}

/** The beginning of sessions. */

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
  /** How much of what tags and policies may take is taken, in per cent. */
  readonly packedPolicySize: number
}

/**
 * Refuses what is not a session policy, and a second factor, which would be believed without having
 * been looked at.
 */
export function checkSession(asked: {
  readonly policy?: string
  readonly serialNumber?: string
  readonly tokenCode?: string
}): void {
  if (asked.serialNumber !== undefined || asked.tokenCode !== undefined) {
    fail('AccessDeniedException', 'MultiFactorAuthentication failed: keyslot knows no MFA devices.')
  }
  if (asked.policy !== undefined) compilePolicy(asked.policy, 'session')
}

/** Refuses a session that would last longer than it may, in seconds. */
export function checkDuration(durationSeconds: number, most = 0): void {
  if (durationSeconds <= most) return
  const what = 'exceeds the MaxSessionDuration set for this role'
  fail('ValidationException', `The requested DurationSeconds ${what}.`)
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
  const packedPolicySize = Math.ceil((packed.length * 100) / PACKED_BYTES_MAX)
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

/**
 * Temporary credentials. A session is kept nowhere: its token is the session itself, encrypted by
 * keyslot's own key and bound to its access key id. Nothing has to be written to begin one, or
 * cleared away when it has ended, and every process that serves the store can read it.
 */

import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { fail } from '../failures.ts'

/** The session of a role, or of a user or a root (GetSessionToken). */
export interface Session {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly account: string
  /** Of the role or user: a later one of the same name has none of its sessions. */
  readonly principalId?: string
  /** Of a role. */
  readonly sessionName?: string
  readonly tags: ReadonlyMap<string, string>
  /** JSON documents which bound what the session may do. */
  readonly policies: readonly string[]
  readonly sourceIdentity?: string
  /** Milliseconds since the epoch. */
  readonly issuedMs: number
  /** Milliseconds since the epoch. */
  readonly expiresMs: number
}

/** The longest packed session, in bytes: what the token encrypts at once. */
export const PACKED_BYTES_MAX = 4096
/** More than a packed session can hold before it was packed: the answer to a bomb. */
const UNPACKED_BYTES_MAX = 128 * 1024

type Fields = readonly [
  secretAccessKey: string,
  account: string,
  principalId: string | null,
  sessionName: string | null,
  tags: readonly (readonly [string, string])[],
  policies: readonly string[],
  sourceIdentity: string | null,
  issuedMs: number,
  expiresMs: number,
]

/**
 * The bytes of a session, to be encrypted; the caller zeroes them.
 *
 * @throws KmsError PackedPolicyTooLargeException if tags and policies take more than they may.
 */
export function packSession(session: Session): Buffer {
  const { tags, policies, principalId = null, sessionName = null } = session
  const fields: Fields = [
    session.secretAccessKey,
    session.account,
    principalId,
    sessionName,
    [...tags],
    policies,
    session.sourceIdentity ?? null,
    session.issuedMs,
    session.expiresMs,
  ]
  const plain = Buffer.from(JSON.stringify(fields))
  const packed = deflateRawSync(plain)
  plain.fill(0)
  if (packed.length > PACKED_BYTES_MAX) {
    packed.fill(0)
    fail(
      'PackedPolicyTooLargeException',
      `The session policies and tags take more than their ${PACKED_BYTES_MAX} bytes when packed.`,
    )
  }
  return packed
}

/** Reads the bytes of a session, which have been decrypted and so are what was packed. */
export function parseSession(accessKeyId: string, packed: Buffer): Session {
  const plain = inflateRawSync(packed, { maxOutputLength: UNPACKED_BYTES_MAX })
  const fields: Fields = JSON.parse(plain.toString())
  plain.fill(0)
  const [secretAccessKey, account, principalId, sessionName, tags, policies, identity] = fields
  const [issuedMs, expiresMs] = fields.slice(-2) as [number, number]
  return {
    accessKeyId,
    secretAccessKey,
    account,
    principalId: principalId ?? undefined,
    sessionName: sessionName ?? undefined,
    tags: new Map(tags),
    policies,
    sourceIdentity: identity ?? undefined,
    issuedMs,
    expiresMs,
  }
}

/** What the ciphertext of a session is bound to. */
export function sessionContext(accessKeyId: string): ReadonlyMap<string, string> {
  return new Map([
    ['keyslot:purpose', 'session'],
    ['keyslot:accessKeyId', accessKeyId],
  ])
}

/** What the ciphertext of the secret of a long-term access key is bound to. */
export function accessKeyContext(accessKeyId: string): ReadonlyMap<string, string> {
  return new Map([
    ['keyslot:purpose', 'access key'],
    ['keyslot:accessKeyId', accessKeyId],
  ])
}

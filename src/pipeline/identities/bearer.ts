/**
 * Callers who show a JSON Web Token: the holder of a JWT-SVID is whom its SPIFFE ID names, as with
 * a certificate; the holder of any other assumes a role that trusts its issuer.
 */

import { createHash } from 'node:crypto'
import type { Caller } from '../../model/caller.ts'
import { fail } from '../../model/failures.ts'
import {
  type PrincipalName,
  parsePrincipalArn,
  providerArn,
} from '../../model/identities/principal.ts'
import { tagsWith } from '../../model/identities/tags.ts'
import type { WebIdentityClaim } from '../../operations/operation.ts'
import type { Store } from '../../store/store.ts'
import { roleOf } from './resolve.ts'
import { decideTrust } from './trust.ts'
import { claimed, type TokenVerifier } from './web-identity.ts'

/** By what JWT-SVIDs are verified. */
export interface SvidSettings {
  /** The JSON Web Key Set of the trust domain, as it is now. */
  readonly jwks: () => string
  readonly audiences: readonly string[]
  /** @throws KmsError UnrecognizedClientException for a SPIFFE ID that names no principal. */
  readonly nameOf: (spiffeId: string) => PrincipalName
}

/** What bearers are known by. */
export interface BearerParts {
  readonly store: Pick<Store, 'identities'>
  readonly verifier: TokenVerifier
  readonly svids?: SvidSettings
  readonly callerOf: (name: PrincipalName) => Promise<Caller>
  readonly region: string
  /** Milliseconds since the epoch. */
  readonly clock: () => number
}

/** What a call shows. */
export interface Bearer {
  /** A JSON Web Token. */
  readonly token: string
  /** The role to assume; the default role of the token's provider if absent. */
  readonly roleArn?: string
  readonly sourceAddress?: string
}

const SESSION_NAME_LENGTH_MAX = 64
const DIGEST_LENGTH = 12

/**
 * The holder of a token, who may assume the role and nothing else.
 *
 * @throws KmsError InvalidIdentityTokenException and its kin.
 */
export async function webIdentityOf(
  { store, verifier }: BearerParts,
  { webIdentityToken, roleArn }: WebIdentityClaim,
): Promise<Caller> {
  const { issuer } = claimed(webIdentityToken)
  const { account } = parsePrincipalArn(roleArn) ?? unknownIssuer()
  const arn = providerArn(account, issuer)
  const provider = await store.identities.providers.find(arn)
  if (provider?.issuer !== issuer) return unknownIssuer()
  const webIdentity = await verifier.verify(webIdentityToken, provider)
  const principalId = `${issuer.replace(/^https?:\/\//, '')}:${webIdentity.subject}`
  return { arn, account, kind: 'web-identity', principalId, webIdentity }
}

/**
 * The caller that a token makes, for one call.
 *
 * @throws KmsError InvalidIdentityTokenException and its kin; AccessDeniedException when the role
 *   does not trust the holder.
 */
export async function bearerOf(
  parts: BearerParts,
  { token, roleArn, sourceAddress }: Bearer,
): Promise<Caller> {
  const { issuer, subject } = claimed(token)
  if (subject.startsWith('spiffe://')) return holderOfSvid(parts, token)
  const chosen = roleArn ?? (await defaultRoleOf(parts, issuer))
  const holder = await webIdentityOf(parts, { webIdentityToken: token, roleArn: chosen })
  const role = await roleOf(parts.store, chosen)
  const session = sessionNameOf(holder.webIdentity?.subject ?? '')
  const decision =
    role &&
    decideTrust({
      call: { sourceAddress, secureTransport: true },
      region: parts.region,
      nowMs: parts.clock(),
      caller: holder,
      permission: 'sts:AssumeRoleWithWebIdentity',
      role,
      conditions: { 'sts:RoleSessionName': session },
      policies: { identityPolicies: [] },
    })
  if (!role || !decision?.allowed) {
    fail('AccessDeniedException', 'The role does not let the holder of the token assume it.')
  }
  const name = { account: role.account, kind: 'role', role: role.name, session } as const
  const caller = await parts.callerOf(name)
  const tags = holder.webIdentity?.tags ?? new Map()
  const issuedMs = parts.clock()
  return { ...caller, issuedMs, tags: tagsWith(caller.tags ?? new Map(), tags) }
}

async function holderOfSvid({ svids, verifier, callerOf }: BearerParts, token: string) {
  if (!svids) return unknownIssuer()
  const spiffeId = await verifier.verifySvid(token, svids.jwks(), svids.audiences)
  return callerOf(svids.nameOf(spiffeId))
}

async function defaultRoleOf({ store }: BearerParts, issuer: string): Promise<string> {
  const found = await store.identities.providers.ofIssuer(issuer)
  const roles = found.map(({ defaultRoleArn }) => defaultRoleArn).filter((arn) => arn !== undefined)
  const [only] = roles
  // Of several accounts that know the issuer, none goes before the others.
  if (only !== undefined && roles.length === 1) return only
  return fail(
    'InvalidIdentityTokenException',
    'Name the role to assume: its ARN goes into the metadata keyslot-role-arn.',
  )
}

/**
 * A subject as the name of a session. One that names may not spell gets a digest, so that no two
 * subjects have the same name.
 */
export function sessionNameOf(subject: string): string {
  if (/^[A-Za-z0-9_+=,.@-]{2,64}$/.test(subject)) return subject
  const digest = createHash('sha256').update(subject).digest('hex').slice(0, DIGEST_LENGTH)
  const readable = subject
    .replaceAll(/[^A-Za-z0-9_+=,.@-]/g, '-')
    .slice(0, SESSION_NAME_LENGTH_MAX - DIGEST_LENGTH - 1)
  return `${readable}-${digest}`
}

function unknownIssuer(): never {
  fail('InvalidIdentityTokenException', 'No identity provider of the account has issued the token.')
}

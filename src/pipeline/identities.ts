/**
 * Who a caller is: from a name that a door has verified, or from an access key, to the principal
 * as it is now. What a principal was is of no effect: each answer comes from the store's copies,
 * which every change invalidates before it is acknowledged.
 */

import { createHash } from 'node:crypto'
import { rootArn } from '../model/arn.ts'
import type { Caller } from '../model/caller.ts'
import { fail, KmsError } from '../model/failures.ts'
import type { AccessKey } from '../model/identities/account.ts'
import { type Principal, type PrincipalName, sessionArn } from '../model/identities/principal.ts'
import {
  accessKeyContext,
  parseSession,
  type Session,
  sessionContext,
} from '../model/identities/session.ts'
import { tagsWith } from '../model/identities/tags.ts'
import type { Sealer, WebIdentityClaim } from '../operations/operation.ts'
import type { Store } from '../store/store.ts'
import type { PrincipalPolicies } from './evidence/policies.ts'
import { type Bearer, bearerOf, type SvidSettings, webIdentityOf } from './identities/bearer.ts'
import { createTokenVerifier } from './identities/web-identity.ts'

/** What a signature is verified by, and whom it then shows. */
export interface Credential {
  readonly secretAccessKey: string
  /** When the credential expires, in milliseconds since the epoch; `caller` refuses it then. */
  readonly expiresMs?: number
  /**
   * The principal, to be asked once the signature has been verified.
   *
   * @throws KmsError UnrecognizedClientException if it is gone; ExpiredTokenException.
   */
  caller(): Promise<Caller>
}

/** The identities of the installation. */
export interface Identities {
  /**
   * The caller of a verified name; what memory knows is as new as the store's last `refresh`.
   *
   * @throws KmsError UnrecognizedClientException if there is no such principal.
   */
  callerOf(name: PrincipalName): Promise<Caller>
  /**
   * The credential of an access key that is active.
   *
   * @param sessionToken of temporary credentials, whose access key ids begin with `ASIA`.
   * @returns `undefined` if there is none, or the token is not its own.
   */
  credential(accessKeyId: string, sessionToken?: string): Promise<Credential | undefined>
  /**
   * The holder of a web identity token, who may assume the role and nothing else.
   *
   * @throws KmsError InvalidIdentityTokenException, ExpiredTokenException or
   *   IDPCommunicationErrorException.
   */
  webIdentity(claim: WebIdentityClaim): Promise<Caller>
  /**
   * The caller that a JSON Web Token makes, for one call: whom its SPIFFE ID names, or a session
   * of the role, or else of the default role of its issuer.
   *
   * @throws KmsError as above, or AccessDeniedException if the role does not trust the holder.
   */
  bearer(shown: Bearer): Promise<Caller>
  /** Whether there is anything by which a token could be verified. */
  takesTokens(): Promise<boolean>
  /**
   * The policies of a caller; a root, a service and keyslot have none. At once if memory knows them,
   * as new as the store's last `refresh`.
   */
  policiesOf(caller: Caller): PrincipalPolicies | Promise<PrincipalPolicies>
}

/** What identities are made of. */
export interface IdentitiesParts {
  readonly store: Pick<Store, 'identities'>
  readonly sealer: Sealer
  readonly region: string
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  /** Absent when no JWT-SVIDs are taken. */
  readonly svids?: SvidSettings
}

/** How many secrets and sessions are held once they are decrypted; the oldest are let go. */
const HELD = 10_000
const NO_POLICIES: PrincipalPolicies = { identityPolicies: [] }
/** The longest session token: a packed session of full length in base64, with room. */
const TOKEN_LENGTH_MAX = 8192

/** Makes the identities. */
export function createIdentities(parts: IdentitiesParts): Identities {
  const { principals, providers } = parts.store.identities
  const secretOf = openSecrets(parts.sealer)
  const sessionOf = openSessions(parts.sealer)
  const callerOf = (name: PrincipalName) => callerNamed(parts, name)
  const verifier = createTokenVerifier(parts.clock)
  const { store, svids, region, clock } = parts
  const bearers = { store, verifier, svids, callerOf, region, clock }
  return {
    callerOf,
    webIdentity: (claim) => webIdentityOf(bearers, claim),
    bearer: (shown) => bearerOf(bearers, shown),
    takesTokens: async () => svids !== undefined || (await providers.any()),

    async credential(accessKeyId, sessionToken) {
      if (sessionToken !== undefined) {
        const session = await sessionOf(accessKeyId, sessionToken)
        return session && credentialOfSession(parts, session)
      }
      const secretAccessKey = await secretOf(accessKeyId, await activeKey(parts, accessKeyId))
      if (secretAccessKey === undefined) return undefined
      return {
        secretAccessKey,
        async caller() {
          const key = await activeKey(parts, accessKeyId)
          return key ? ownerOf(parts, key) : unknown()
        },
      }
    },

    policiesOf({ kind, principalId = '' }) {
      if (kind !== 'user' && kind !== 'role') return NO_POLICIES
      const [id = ''] = principalId.split(':', 1)
      const known = principals.known(id)
      return known ? policiesIn(known) : principals.find(id).then(policiesIn)
    },
  }
}

function policiesIn(principal: Principal | undefined): PrincipalPolicies {
  if (principal === undefined) return NO_POLICIES
  return { identityPolicies: principal.policies, boundary: principal.boundary }
}

async function callerNamed({ store }: IdentitiesParts, name: PrincipalName): Promise<Caller> {
  const { accounts, principals } = store.identities
  const { account } = name
  if (name.kind === 'root' || name.kind === 'service') {
    if (!(accounts.known(account) ?? (await accounts.find(account)))) return unknown()
    return name.kind === 'root' ? rootOf(account) : serviceFor(account, name.service)
  }
  const of = { account, kind: name.kind }
  const own = name.kind === 'user' ? name.user : name.role
  const found = principals.knownByName(of, own) ?? (await principals.named(of, own))
  if (found?.name !== own) return unknown()
  return name.kind === 'user' ? userOf(found) : sessionOfRole(found, { name: name.session })
}

async function activeKey(
  { store }: IdentitiesParts,
  accessKeyId: string,
): Promise<AccessKey | undefined> {
  const key = await store.identities.accessKeys.find(accessKeyId)
  return key?.status === 'Active' ? key : undefined
}

async function ownerOf(
  { store }: IdentitiesParts,
  { account, principalId }: Pick<AccessKey, 'account' | 'principalId'>,
): Promise<Caller> {
  const { accounts, principals } = store.identities
  if (principalId === undefined) {
    return (await accounts.find(account)) ? rootOf(account) : unknown()
  }
  const user = await principals.find(principalId)
  return user?.kind === 'user' ? userOf(user) : unknown()
}

function credentialOfSession(parts: IdentitiesParts, session: Session): Credential {
  const { secretAccessKey, expiresMs, principalId, sessionName } = session
  return {
    secretAccessKey,
    expiresMs,
    async caller() {
      if (parts.clock() >= expiresMs) {
        fail('ExpiredTokenException', 'The security token included in the request is expired')
      }
      const { tags, policies, sourceIdentity, issuedMs } = session
      if (sessionName === undefined) return { ...(await ownerOf(parts, session)), issuedMs }
      const role = await parts.store.identities.principals.find(principalId ?? '')
      if (role?.kind !== 'role') return unknown()
      return sessionOfRole(role, { name: sessionName, tags, policies, sourceIdentity, issuedMs })
    },
  }
}

function rootOf(account: string): Caller {
  return { arn: rootArn(account), account, kind: 'root', principalId: account }
}

function serviceFor(account: string, service: string): Caller {
  return { arn: service, account, kind: 'service', principalId: service }
}

function userOf({ arn, account, principalId, tags }: Principal): Caller {
  return { arn, account, kind: 'user', principalId, tags }
}

function sessionOfRole(
  role: Principal,
  session: Partial<Pick<Session, 'tags' | 'policies' | 'sourceIdentity' | 'issuedMs'>> & {
    readonly name: string
  },
): Caller {
  const { account, arn: roleArn } = role
  const { name, tags, policies, sourceIdentity, issuedMs } = session
  return {
    arn: sessionArn(account, role.name, name),
    account,
    kind: 'role',
    principalId: `${role.principalId}:${name}`,
    roleArn,
    tags: tags === undefined || tags.size === 0 ? role.tags : tagsWith(role.tags, tags),
    sessionPolicies: policies,
    sourceIdentity,
    issuedMs,
  }
}

/** Secrets of long-term access keys, decrypted once and held for as long as they are good. */
function openSecrets(sealer: Sealer) {
  const held = new Map<string, { readonly sealed: string; readonly secret: string }>()
  return async (accessKeyId: string, key: AccessKey | undefined): Promise<string | undefined> => {
    const known = held.get(accessKeyId)
    if (known && known.sealed === key?.sealedSecret) return known.secret
    held.delete(accessKeyId)
    if (key === undefined) return undefined
    const sealed = Buffer.from(key.sealedSecret, 'base64')
    const plaintext = await sealer.open(sealed, accessKeyContext(accessKeyId))
    const secret = plaintext.toString()
    plaintext.fill(0)
    hold(held, accessKeyId, { sealed: key.sealedSecret, secret })
    return secret
  }
}

/** Sessions by their tokens, decrypted once. */
function openSessions(sealer: Sealer) {
  const held = new Map<string, Session>()
  return async (accessKeyId: string, token: string): Promise<Session | undefined> => {
    if (!accessKeyId.startsWith('ASIA') || token.length > TOKEN_LENGTH_MAX) return undefined
    // Not the token itself: it is as long as a page.
    const name = createHash('sha256').update(`${accessKeyId}\0${token}`).digest('base64')
    const known = held.get(name)
    if (known) return known
    const sealed = Buffer.from(token, 'base64')
    // Node reads past what is no base64, so that a token would have many spellings.
    if (sealed.toString('base64') !== token) return undefined
    const packed = await opened(sealer, sealed, accessKeyId)
    if (packed === undefined) return undefined
    const session = parseSession(accessKeyId, packed)
    packed.fill(0)
    hold(held, name, session)
    return session
  }
}

/** The bytes of a session; `undefined` if the token is not one, or is another access key's. */
async function opened(
  sealer: Sealer,
  token: Buffer,
  accessKeyId: string,
): Promise<Buffer | undefined> {
  try {
    return await sealer.open(token, sessionContext(accessKeyId))
  } catch (error) {
    if (error instanceof KmsError && error.fault === 'caller') return undefined
    throw error
  }
}

function hold<Value>(held: Map<string, Value>, name: string, value: Value): void {
  held.set(name, value)
  if (held.size <= HELD) return
  const [oldest] = held.keys()
  if (oldest !== undefined) held.delete(oldest)
}

function unknown(): never {
  fail('UnrecognizedClientException', 'The security token included in the request is invalid.')
}

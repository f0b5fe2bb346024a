/**
 * Principals of accounts: their names, ARNs and unique ids, as IAM has them.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
 */

import { randomBytes } from 'node:crypto'
import { rootArn } from '../arn.ts'

/** What an account may have many of. */
export type PrincipalKind = 'user' | 'role'

/** A policy in a principal, by its name. */
export interface NamedPolicy {
  readonly name: string
  /** The JSON document as it was put. */
  readonly text: string
}

/** Who may assume a role. */
export interface TrustPolicy {
  /** The JSON document as it was put. */
  readonly text: string
  /** The unique ids that the ARNs in it stood for when it was put. */
  readonly principalIds: ReadonlyMap<string, string>
}

/** A user or a role: immutable, a new value for every change. */
export interface Principal {
  /** `AIDA…` or `AROA…`: no later principal of the same name has it. */
  readonly principalId: string
  readonly account: string
  readonly kind: PrincipalKind
  /** Unique in the account among its kind, whatever the case. */
  readonly name: string
  /** Begins and ends with a slash. */
  readonly path: string
  readonly arn: string
  readonly description: string
  readonly tags: ReadonlyMap<string, string>
  /** By name. */
  readonly policies: readonly NamedPolicy[]
  /** The permissions boundary, a JSON document. */
  readonly boundary?: string
  /** Of a role. */
  readonly trust?: TrustPolicy
  /** Of a role: how long a session of it may last, 3600 to 43200. */
  readonly sessionSecondsMax?: number
  /** Milliseconds since the epoch. */
  readonly createdMs: number
}

/** A principal as a verified credential names it. */
export type PrincipalName = { readonly account: string } & (
  | { readonly kind: 'root' }
  | { readonly kind: 'user'; readonly user: string }
  | { readonly kind: 'role'; readonly role: string; readonly session: string }
  /** A service that acts for the account: `backup.amazonaws.com`. */
  | { readonly kind: 'service'; readonly service: string }
)

/** What an ARN of a principal says. */
export type PrincipalReference = { readonly account: string } & (
  | { readonly kind: 'root' }
  | { readonly kind: PrincipalKind; readonly name: string; readonly path: string }
  | { readonly kind: 'session'; readonly role: string; readonly session: string }
)

/** The hidden account of keyslot's own keys, which is nobody's. */
export const OWN_ACCOUNT = '000000000000'

const NAME = '[A-Za-z0-9_+=,.@-]{1,64}'
const PATH = '/(?:[!-~]+/)?'
const IAM_ARN = new RegExp(
  `^arn:aws:iam::(?<account>[0-9]{12}):(?:(?<root>root)|(?<kind>user|role)(?<path>${PATH})(?<name>${NAME}))$`,
)
const SESSION_ARN = new RegExp(
  `^arn:aws:sts::(?<account>[0-9]{12}):assumed-role/(?<role>${NAME})/(?<session>[A-Za-z0-9_+=,.@-]{2,64})$`,
)
/** The alphabet of base32, of which IAM's ids are. */
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const SECRET_BYTES = 30

/** The ARN of a user or a role. */
export function principalArn(
  kind: PrincipalKind,
  { account, path, name }: Pick<Principal, 'account' | 'path' | 'name'>,
): string {
  return `arn:aws:iam::${account}:${kind}${path}${name}`
}

/** The ARN of a session of a role, which has no path. */
export function sessionArn(account: string, role: string, session: string): string {
  return `arn:aws:sts::${account}:assumed-role/${role}/${session}`
}

/** The ARN of whom a credential names; of a user, who may have a path, as if there were none. */
export function arnOf(name: PrincipalName): string {
  const { account } = name
  if (name.kind === 'root') return rootArn(account)
  if (name.kind === 'service') return name.service
  if (name.kind === 'role') return sessionArn(account, name.role, name.session)
  return principalArn('user', { account, path: '/', name: name.user })
}

/** The ARN of an identity provider; `issuer` is its URL. */
export function providerArn(account: string, issuer: string): string {
  return `arn:aws:iam::${account}:oidc-provider/${issuer.replace(/^https?:\/\//, '')}`
}

/** Reads the ARN of a root, user, role or session of a role; `undefined` for any other text. */
export function parsePrincipalArn(arn: string): PrincipalReference | undefined {
  const session = SESSION_ARN.exec(arn)?.groups
  if (session) {
    const { account = '', role = '', session: name = '' } = session
    return { kind: 'session', account, role, session: name }
  }
  const parts = IAM_ARN.exec(arn)?.groups
  if (!parts) return undefined
  const { account = '', root, kind, path = '', name = '' } = parts
  if (root !== undefined) return { kind: 'root', account }
  return { kind: kind === 'role' ? 'role' : 'user', account, name, path }
}

/** How names are compared: IAM's are distinguished by case nowhere. */
export function foldedName(name: string): string {
  return name.toLowerCase()
}

/** A new unique id. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes */
export function newPrincipalId(kind: PrincipalKind): string {
  return `${kind === 'user' ? 'AIDA' : 'AROA'}${randomBase32(17)}`
}

/** A new access key: of a user or a root (`AKIA`), or of a session (`ASIA`). */
export function newAccessKey(prefix: 'AKIA' | 'ASIA'): {
  readonly accessKeyId: string
  readonly secretAccessKey: string
} {
  const accessKeyId = prefix + randomBase32(16)
  return { accessKeyId, secretAccessKey: randomBytes(SECRET_BYTES).toString('base64') }
}

function randomBase32(length: number): string {
  return Array.from(randomBytes(length), (byte) => BASE32[byte & 31]).join('')
}

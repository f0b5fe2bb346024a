/** Needs of operations on principals: users, roles, roots, and identity providers. */

import type { Authorised } from '../model/authorised.ts'
import type { Caller } from '../model/caller.ts'
import type { Principal } from '../model/identities/principal.ts'

/** How a request names a principal of the caller's account. */
export type PrincipalQuery =
  | {
      readonly kind: 'user' | 'role'
      readonly name: string
      /** Of one that is about to be made; `/` unless given. */
      readonly path?: string
    }
  /** Whoever calls, a user or a root. */
  | { readonly kind: 'self' }
  | { readonly kind: 'provider'; readonly arn: string }
  | { readonly kind: 'provider'; readonly issuer: string }

/** A principal that the operation touches, whether it exists or not. */
export interface PrincipalNeed<Request> {
  readonly kind: 'principal'
  /** `iam:CreateUser` and the like. */
  readonly permission: string
  /** How the request names it; `undefined` when the permission is not asked. */
  readonly find: (request: Request) => PrincipalQuery | undefined
}

/** A role that is to be assumed, in whatever account: its trust policy has a say. */
export interface TrustNeed<Request> {
  readonly kind: 'trust'
  readonly permission: string
  /** The ARN of the role; `undefined` when the permission is not asked. */
  readonly find: (request: Request, caller: Caller) => string | undefined
}

/**
 * The installation as a whole: for its operator, which is the root of its first account, and for
 * its seed, which is the operator's word whatever account it speaks for.
 */
export interface InstallationNeed<Request> {
  readonly kind: 'installation'
  readonly permission: string
  /** Whether the permission is asked at all. */
  readonly find: (request: Request) => boolean
}

/** What anybody may do who is somebody: no policy is asked. */
export interface AnybodyNeed {
  readonly kind: 'anybody'
  readonly permission: string
}

/** A principal as named by a request. */
export interface PrincipalResource {
  readonly arn: string
  readonly account: string
  readonly kind: 'root' | 'user' | 'role' | 'provider'
  /** As the request has it; of a root its account. */
  readonly name: string
  /** Of a user or role; absent when there is none of this name. */
  readonly principal?: Principal
}

/** The installation as a resource. */
export interface InstallationResource {
  /** `*`. */
  readonly arn: string
  /** The first account. */
  readonly account: string
}

/** What `run` is given for one of these needs. */
export type GivenPrincipal<N> =
  N extends PrincipalNeed<never>
    ? Authorised<PrincipalResource>
    : N extends TrustNeed<never>
      ? Authorised<Principal>
      : N extends InstallationNeed<never>
        ? Authorised<InstallationResource>
        : N extends AnybodyNeed
          ? Authorised<InstallationResource>
          : never

/** The user that `userName` names. */
export function user(permission: string): PrincipalNeed<{ readonly userName: string }> {
  return {
    kind: 'principal',
    permission,
    find: ({ userName }) => ({ kind: 'user', name: userName }),
  }
}

/** The user that `userName` names, or whoever calls. */
export function userOrSelf(permission: string): PrincipalNeed<{ readonly userName?: string }> {
  return {
    kind: 'principal',
    permission,
    find: ({ userName }) =>
      userName === undefined ? { kind: 'self' } : { kind: 'user', name: userName },
  }
}

/** The role that `roleName` names. */
export function role(permission: string): PrincipalNeed<{ readonly roleName: string }> {
  return {
    kind: 'principal',
    permission,
    find: ({ roleName }) => ({ kind: 'role', name: roleName }),
  }
}

/** The identity provider that `openIdConnectProviderArn` names. */
export function provider(
  permission: string,
): PrincipalNeed<{ readonly openIdConnectProviderArn: string }> {
  return {
    kind: 'principal',
    permission,
    find: ({ openIdConnectProviderArn: arn }) => ({ kind: 'provider', arn }),
  }
}

/** The identity provider that is to be made of the issuer `url`, in the caller's account. */
export function newProvider(permission: string): PrincipalNeed<{ readonly url: string }> {
  return { kind: 'principal', permission, find: ({ url }) => ({ kind: 'provider', issuer: url }) }
}

/** The role to be assumed that `roleArn` names, always or when `asked` says so. */
export function roleToAssume<Request extends { readonly roleArn: string }>(
  permission: string,
  asked: (request: Request, caller: Caller) => boolean = () => true,
): TrustNeed<Request> {
  const find = (request: Request, caller: Caller) =>
    asked(request, caller) ? request.roleArn : undefined
  return { kind: 'trust', permission, find }
}

/** Nothing but to be somebody. */
export function anybody(permission: string): AnybodyNeed {
  return { kind: 'anybody', permission }
}

/** The installation, always or when `asked` says so. */
export function installation<Request>(
  permission: string,
  asked: (request: Request) => boolean = () => true,
): InstallationNeed<Request> {
  return { kind: 'installation', permission, find: asked }
}

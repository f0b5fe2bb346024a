/**
 * What an operation is: a value that says which resources it touches and by which permission, in
 * which states of a key it works, whether it changes anything, and what it does. The pipeline
 * does the rest for every operation alike.
 */

import type { Lifecycle } from '../lifecycle/lifecycle.ts'
import type { Place } from '../model/arn.ts'
import type { Authorised } from '../model/authorised.ts'
import type { Caller } from '../model/caller.ts'
import type { Grant } from '../model/grant.ts'
import { type Alias, KEY_STATES, type Key, type KeyState } from '../model/key.ts'
import type { KeyUsage } from '../model/key-specs.ts'
import type { CallLimits, Hsm } from '../pkcs11/hsm.ts'
import type { ConditionValues } from '../policy/request.ts'
import type { Service } from '../service.ts'
import type { Store } from '../store/store.ts'
import type { Authority, Conditions } from './authority.ts'
import type {
  AnybodyNeed,
  GivenPrincipal,
  InstallationNeed,
  PrincipalNeed,
  TrustNeed,
} from './principals.ts'

/** The values of condition keys that a request gives; see `authority.ts`. */
export type { Conditions } from './authority.ts'

/** Operations that are not rpcs: keyslot's own jobs, which take the same way through the pipeline. */
export interface JobService {
  /** Rotates a key whose automatic rotation is due. */
  readonly RotateDueKey: { readonly request: { readonly keyId: string }; readonly response: object }
  /** Destroys the imported material of a key that has expired. */
  readonly ExpireDueMaterial: {
    readonly request: { readonly keyId: string }
    readonly response: object
  }
  /** Destroys a key whose deletion window has ended. */
  readonly DestroyDueKey: {
    readonly request: { readonly keyId: string }
    readonly response: object
  }
}

/** Every operation with its request and response. */
export type Operations = Service & JobService

/** The name of an operation. */
export type OperationName = keyof Operations

/** How a request names a key: as text a caller wrote, or by a ciphertext that names its key. */
export type KeyName =
  | { readonly text: string; readonly aliases: boolean }
  | { readonly ciphertextBlob: Buffer }

/** What every need has. */
interface NeedBase {
  /** The permission asked; `kms:<Operation>` unless given. */
  readonly permission?: string
}

/** A key that the operation touches. `Found` is undefined-able when the request may leave it out. */
export interface KeyNeed<Request, Found extends Authorised<Key> | undefined = Authorised<Key>>
  extends NeedBase {
  readonly kind: 'key'
  /** How the request names it; `undefined` when it does not. */
  readonly find: (request: Request) => KeyName | (undefined extends Found ? undefined : never)
  /**
   * Refuses keys of a kind that can never do it, before their state is looked at; pure.
   *
   * @throws KmsError UnsupportedOperationException.
   */
  readonly checkKind?: (key: Key) => void
  /** The states in which the operation works; no default, so that each operation decides. */
  readonly states: readonly KeyState[]
  /** The usage that the key must have. */
  readonly usage?: KeyUsage
  /** Whether a grant can give the permission, or which grants can. */
  readonly grantable: boolean | ((grant: Grant, request: Request) => boolean)
  /** Whether principals of other accounts may use it; as `grantable` unless given. */
  readonly otherAccounts?: boolean
}

/** An alias that the operation touches, whether it exists or not. */
export interface AliasNeed<Request> extends NeedBase {
  readonly kind: 'alias'
  /** The name in the request, `alias/` included. */
  readonly find: (request: Request) => string
}

/** How a request names a grant: by one of its tokens, or by its key and its id. */
export type GrantName =
  | { readonly token: string }
  | { readonly keyId: string; readonly grantId: string }

/** A grant that ends, by those for whom it was made and not by its key's policy. */
export interface GrantNeed<Request> extends NeedBase {
  readonly kind: 'grant'
  readonly find: (request: Request) => GrantName
}

/** The caller's account in this Region: for what concerns no single key. */
export interface AccountNeed<Request> extends NeedBase {
  readonly kind: 'account'
  /** Whether the permission is asked at all. */
  readonly find: (request: Request) => boolean
  /** What the permission is asked on; `*` unless given. */
  readonly arn?: (request: Request) => string
}

/** A resource that an operation touches. */
export type Need<Request> =
  | KeyNeed<Request, Authorised<Key> | undefined>
  | KeyNeed<Request>
  | AliasNeed<Request>
  | GrantNeed<Request>
  | AccountNeed<Request>
  | PrincipalNeed<Request>
  | TrustNeed<Request>
  | InstallationNeed<Request>
  | AnybodyNeed

/** An alias as named by a request. */
export interface AliasResource {
  readonly arn: string
  readonly name: string
  /** Absent when there is none of this name. */
  readonly alias?: Alias
}

/** A grant with what it is on. */
export interface GrantResource {
  readonly grant: Grant
  readonly key: Key
}

/** The caller's account as a resource. */
export interface AccountResource extends Place {
  /** `*`: such permissions are not asked on a single resource. */
  readonly arn: string
}

/** What `run` is given for a need. */
type Given<N> =
  N extends KeyNeed<never, infer Found>
    ? Found
    : N extends AliasNeed<never>
      ? Authorised<AliasResource>
      : N extends GrantNeed<never>
        ? Authorised<GrantResource>
        : N extends AccountNeed<never>
          ? Authorised<AccountResource>
          : GivenPrincipal<N>

/** Keeps secrets by keyslot's own key. */
export interface Sealer {
  /** Encrypts up to 4096 bytes, bound to a context. */
  seal(plaintext: Buffer, context: ReadonlyMap<string, string>): Promise<Buffer>
  /**
   * Decrypts what `seal` has made of the same context.
   *
   * @throws KmsError InvalidCiphertextException for anything else.
   */
  open(ciphertextBlob: Buffer, context: ReadonlyMap<string, string>): Promise<Buffer>
}

/** What every operation may use. */
export interface Services {
  readonly store: Store
  readonly hsm: Hsm
  readonly lifecycle: Lifecycle
  readonly sealer: Sealer
  readonly authority: Authority
  /** Milliseconds since the epoch. */
  readonly clock: () => number
}

/** A JSON Web Token, and the role in whose account its issuer has to be known. */
export interface WebIdentityClaim {
  readonly webIdentityToken: string
  readonly roleArn: string
}

/** What `rehearse` is given beside its needs. */
export interface Rehearsal<Request> {
  readonly request: Request
  /** To look things up. */
  readonly store: Store
}

/** What `run` is given beside its needs. */
export interface Run<Request> extends Services, Rehearsal<Request> {
  readonly caller: Caller
  /** The caller's account and this service's Region. */
  readonly home: Place
  readonly limits: CallLimits
  /** What policies may ask of this call: of its first need. */
  readonly conditions: ConditionValues
}

/** An operation. */
export interface Operation<
  N extends OperationName,
  Needs extends Readonly<Record<string, Need<Operations[N]['request']>>> = Readonly<
    Record<string, Need<Operations[N]['request']>>
  >,
> {
  readonly name: N
  readonly needs: Needs
  /** Whether it changes anything: then its intent is on the audit record before it begins. */
  readonly changes: boolean
  /** Whether it may take the token seconds, so that an account may have few of it at work. */
  readonly isSlow?: boolean
  /** Refuses what the rules of the contract cannot say; pure. */
  readonly check?: (request: Operations[N]['request']) => void
  /** Whoever holds the token in the request calls, and nobody else has to be known; pure. */
  readonly identifies?: (request: Operations[N]['request']) => WebIdentityClaim
  /** What policies may decide on, for the need of this name; pure. */
  readonly conditions?: (request: Operations[N]['request'], need: string) => Conditions
  /**
   * Refuses what only the request and the resources together show to be wrong; changes nothing.
   * Asked of a dry run, in the place of `run`, which refuses the same itself; a promise is awaited.
   */
  readonly rehearse?: (
    given: Rehearsal<Operations[N]['request']> & { readonly [K in keyof Needs]: Given<Needs[K]> },
  ) => unknown
  /** Does it. */
  readonly run: (
    given: Run<Operations[N]['request']> & { readonly [K in keyof Needs]: Given<Needs[K]> },
  ) => Promise<Operations[N]['response']>
}

/** An operation whose needs are no longer known: what the table holds and the pipeline runs. */
export interface AnyOperation<N extends OperationName = OperationName> {
  readonly name: N
  readonly needs: Readonly<Record<string, Need<never>>>
  readonly changes: boolean
  readonly isSlow?: boolean
  readonly check?: (request: Operations[N]['request']) => void
  readonly identifies?: (request: Operations[N]['request']) => WebIdentityClaim
  readonly conditions?: (request: Operations[N]['request'], need: string) => Conditions
  readonly rehearse?: (given: never) => unknown
  readonly run: (given: never) => Promise<Operations[N]['response']>
}

/** Makes an operation; its types follow from its name and its needs. */
export function operation<
  N extends OperationName,
  const Needs extends Readonly<Record<string, Need<Operations[N]['request']>>>,
>(name: N, definition: Omit<Operation<N, Needs>, 'name'>): Operation<N, Needs> {
  return { name, ...definition }
}

/** What a need says of a key, whatever names it. */
interface KeyRule extends Omit<KeyNeed<never>, 'kind' | 'find' | 'grantable'> {
  readonly grantable: boolean
}

/** Every state in which a key can be looked at. */
export const anyState: readonly KeyState[] = KEY_STATES
/** Only a key that is switched on. */
export const enabled: readonly KeyState[] = ['Enabled']
/** Every state but those of a key that is on its way out or not there yet. */
export const present: readonly KeyState[] = ['Enabled', 'Disabled', 'PendingImport', 'Unavailable']

/** The key that `keyId` names: by key id or key ARN, or by alias too. */
export function keyById(
  rule: KeyRule & { readonly aliases: boolean },
): KeyNeed<{ readonly keyId: string }> {
  const { aliases, ...rest } = rule
  return { kind: 'key', find: ({ keyId }) => ({ text: keyId, aliases }), ...rest }
}

/** The key that `find` names. */
export function key<Request>(find: (request: Request) => KeyName, rule: KeyRule): KeyNeed<Request> {
  return { kind: 'key', find, ...rule }
}

/** The key that `find` names, if it names one. */
export function maybeKey<Request>(
  find: (request: Request) => KeyName | undefined,
  rule: KeyRule,
): KeyNeed<Request, Authorised<Key> | undefined> {
  return { kind: 'key', find, ...rule }
}

/** The alias that `aliasName` names. */
export function alias(): AliasNeed<{ readonly aliasName: string }> {
  return { kind: 'alias', find: ({ aliasName }) => aliasName }
}

/** The grant that `find` names, for those who may retire it. */
export function retirable<Request>(find: (request: Request) => GrantName): GrantNeed<Request> {
  return { kind: 'grant', find }
}

/** The caller's account, always or when `asked` says so. */
export function account<Request>(
  permission?: string,
  asked: (request: Request) => boolean = () => true,
): AccountNeed<Request> {
  return { kind: 'account', find: asked, permission }
}

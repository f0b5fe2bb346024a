/**
 * The contract as types: for each rpc its request and its response, in AWS's terms.
 *
 * They are read off the types generated from `proto/`; what differs is that an enum value stands
 * without its prefix (`RSA_2048`, `PendingDeletion`), a time is a Date, a map is a Map (a plain
 * object would lose a key named `__proto__`), and what was not given is absent.
 */

import type { MethodDefinition } from '@grpc/proto-loader'
import type { Timestamp__Output } from './gen/google/protobuf/Timestamp.ts'
import type { IdentityServiceDefinition } from './gen/keyslot/v1/IdentityService.ts'
import type { KeyManagementServiceDefinition } from './gen/keyslot/v1/KeyManagementService.ts'
import type { SecurityTokenServiceDefinition } from './gen/keyslot/v1/SecurityTokenService.ts'

/** The prefixes of enum values; a test holds them against the contract. */
export type EnumPrefix =
  | 'ALGORITHM_SPEC_'
  | 'DATA_KEY_PAIR_SPEC_'
  | 'DATA_KEY_SPEC_'
  | 'DRY_RUN_MODIFIER_TYPE_'
  | 'ENCRYPTION_ALGORITHM_SPEC_'
  | 'EXPIRATION_MODEL_TYPE_'
  | 'IMPORT_STATE_'
  | 'IMPORT_TYPE_'
  | 'INCLUDE_KEY_MATERIAL_'
  | 'KEY_AGREEMENT_ALGORITHM_SPEC_'
  | 'KEY_ENCRYPTION_MECHANISM_'
  | 'KEY_MANAGER_TYPE_'
  | 'KEY_MATERIAL_STATE_'
  | 'KEY_SPEC_'
  | 'KEY_USAGE_TYPE_'
  | 'MAC_ALGORITHM_SPEC_'
  | 'MESSAGE_TYPE_'
  | 'MULTI_REGION_KEY_TYPE_'
  | 'ORIGIN_TYPE_'
  | 'POLICY_DECISION_'
  | 'POLICY_SOURCE_'
  | 'ROTATION_TYPE_'
  | 'SIGNING_ALGORITHM_SPEC_'
  | 'WRAPPING_KEY_SPEC_'

/** The prefixes of enum values that AWS spells in PascalCase. */
export type PascalPrefix =
  | 'GRANT_OPERATION_'
  | 'KEY_LAST_USAGE_TRACKING_OPERATION_'
  | 'KEY_STATE_'
  | 'STATUS_TYPE_'

type Pascal<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Capitalize<Lowercase<Head>>}${Pascal<Tail>}`
  : Capitalize<Lowercase<S>>

type EnumValue<S extends string> = S extends `${string}_UNSPECIFIED`
  ? undefined
  : S extends `${PascalPrefix}${infer State}`
    ? Pascal<State>
    : S extends `${EnumPrefix}${infer Value}`
      ? Value
      : never

type Optional<T> = {
  [K in keyof T as undefined extends T[K] ? never : K]: T[K]
} & {
  [K in keyof T as undefined extends T[K] ? K : never]?: T[K]
}

type Message<T> = Optional<{
  // `_nextMarker` and the like are proto-loader's record of which optional field is set.
  [K in keyof T as K extends `_${string}` ? never : K]: Plain<T[K]>
}>

/** A generated type in AWS's terms. */
type Plain<T> = T extends null | undefined
  ? undefined
  : T extends Buffer
    ? Buffer
    : T extends Timestamp__Output
      ? Date
      : T extends string
        ? string extends T
          ? string
          : EnumValue<T>
        : T extends readonly (infer Item)[]
          ? NonNullable<Plain<Item>>[]
          : T extends object
            ? string extends keyof T
              ? ReadonlyMap<string, string>
              : Message<T>
            : T

type Rpc<M> =
  M extends MethodDefinition<infer _In, infer _Out, infer Request, infer Response>
    ? { readonly request: Message<Request>; readonly response: Message<Response> }
    : never

/** One entry for each rpc. A generated definition has an index signature, which is left out. */
type Rpcs<Definition> = {
  [N in keyof Definition as string extends N ? never : number extends N ? never : N]: Rpc<
    Definition[N]
  >
}

/** The rpcs of every service; their names are unique among all of them. */
export type Service = Rpcs<KeyManagementServiceDefinition> &
  Rpcs<IdentityServiceDefinition> &
  Rpcs<SecurityTokenServiceDefinition>

/** The name of an rpc. */
export type RpcName = keyof Service

/**
 * The contract of both doors, read from `proto/` once at start: every rpc with its messages, their
 * fields in AWS's names, the limits, the secrecy and the words for people.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import protobuf from 'protobufjs'
import type { EnumPrefix, RpcName } from '../service.ts'

/** Where the proto files are. */
export const PROTO_DIRECTORY = fileURLToPath(new URL('../../proto/', import.meta.url))

/** The package of the services. */
export const PACKAGE_NAME = 'keyslot.v1'
/** The full names of the services, as gRPC paths have them. */
export const SERVICE_NAMES = [
  `${PACKAGE_NAME}.KeyManagementService`,
  `${PACKAGE_NAME}.IdentityService`,
  `${PACKAGE_NAME}.SecurityTokenService`,
] as const

const MAP_ENTRY = 'MapEntry'
/** The names of encryption contexts, and not of what constrains them. */
const CONTEXT = /encryptionContext$/i

/** The limits of a field; see `proto/keyslot/v1/options.proto`. */
export interface Rule {
  readonly required?: boolean
  readonly min?: number
  readonly max?: number
  /** Matches the whole string. */
  readonly pattern?: RegExp
  readonly itemMin?: number
  readonly itemMax?: number
  /** What an absent member means, as the value itself. */
  readonly default?: string | number
}

/** An enum: its values by AWS's names. */
export interface EnumContract {
  readonly name: string
  readonly prefix: string
  /** AWS's names in the order of their numbers; the unspecified value is left out. */
  readonly names: readonly string[]
  readonly byNumber: ReadonlyMap<number, string>
  readonly toNumber: ReadonlyMap<string, number>
}

/** What a field holds. */
export type FieldKind =
  | { readonly kind: 'string' | 'bytes' | 'bool' | 'int32' | 'timestamp' | 'map' }
  | { readonly kind: 'enum'; readonly enum: EnumContract }
  | { readonly kind: 'message'; readonly message: MessageContract }

/** A field of a message. */
export interface FieldContract {
  /** The name in requests and responses: `keyId`. */
  readonly name: string
  /** The name in AWS's JSON: `KeyId`. */
  readonly awsName: string
  readonly holds: FieldKind
  readonly repeated: boolean
  /** Whether absent and empty differ. */
  readonly optional: boolean
  readonly rule: Rule
  /** Never logged: bytes, and fields marked `debug_redact`. */
  readonly secret: boolean
  /** Bytes marked `debug_redact`, a plaintext: zeroed wherever it has been used. */
  readonly plaintext: boolean
  /** Whether it is the encryption context of a request, whose length has a limit. */
  readonly context: boolean
  /** The comment in the proto file. */
  readonly doc: string
}

/** A message. */
export interface MessageContract {
  readonly name: string
  readonly fields: readonly FieldContract[]
  /**
   * Whether AWS's JSON has its lists even if they are empty: the answers of what lists something.
   * Elsewhere a list that does not apply is left out.
   */
  readonly lists: boolean
  readonly doc: string
  /** For the wire codec. */
  readonly type: protobuf.Type
}

/** An rpc. */
export interface RpcContract {
  readonly name: RpcName
  /** The full name of its service. */
  readonly service: (typeof SERVICE_NAMES)[number]
  readonly request: MessageContract
  readonly response: MessageContract
  readonly doc: string
}

/** The contract: every rpc by its name, in the order of the services and their proto files. */
export type Contract = Readonly<Record<RpcName, RpcContract>>

/** Reads the contract. */
function load(): Contract {
  const root = new protobuf.Root()
  for (const path of protoFiles()) {
    protobuf.parse(readFileSync(path, 'utf8'), root, { alternateCommentMode: true })
  }
  root.addJSON(protobuf.common.get('google/protobuf/timestamp.proto')?.nested ?? {})
  exposeMapEntries(root)
  root.resolveAll()
  const messages = new Map<protobuf.Type, MessageContract>()
  const methods = SERVICE_NAMES.flatMap((service) =>
    root.lookupService(service).methodsArray.map((method) => ({ service, method })),
  )
  const rpcs = methods.map(({ service, method }): [string, RpcContract] => {
    method.resolve()
    const { resolvedRequestType: request, resolvedResponseType: response } = method
    if (!request || !response) throw new Error(`the messages of ${method.name} are not resolved`)
    const rpc = {
      name: method.name as RpcName,
      service,
      request: message(request, messages),
      response: message(response, messages),
      doc: method.comment ?? '',
    }
    return [method.name, rpc]
  })
  return Object.assign(Object.create(null), Object.fromEntries(rpcs))
}

/** Our own files, and the one that their options extend. */
function protoFiles(): readonly string[] {
  const own = readdirSync(`${PROTO_DIRECTORY}keyslot/v1`)
  return [
    fileURLToPath(import.meta.resolve('protobufjs/google/protobuf/descriptor.proto')),
    ...own.filter((f) => f.endsWith('.proto')).map((f) => `${PROTO_DIRECTORY}keyslot/v1/${f}`),
  ]
}

/**
 * Turns each map field into what it is on the wire, a repeated entry, with bytes for strings:
 * protobufjs would lose a key named `__proto__`, let the last of two equal keys win and fold
 * malformed UTF-8 into U+FFFD, each of which makes two different contexts one.
 */
function exposeMapEntries(root: protobuf.Root): void {
  const entry = new protobuf.Type(MAP_ENTRY)
    .add(new protobuf.Field('key', 1, 'bytes'))
    .add(new protobuf.Field('value', 2, 'bytes'))
  const scope = root.lookup(PACKAGE_NAME)
  if (!(scope instanceof protobuf.Namespace)) throw new Error(`no package ${PACKAGE_NAME}`)
  scope.add(entry)
  for (const type of scope.nestedArray) {
    if (!(type instanceof protobuf.Type)) continue
    for (const field of type.fieldsArray.filter((each) => each instanceof protobuf.MapField)) {
      type.remove(field)
      const entries = new protobuf.Field(field.name, field.id, MAP_ENTRY, 'repeated', field.options)
      entries.comment = field.comment
      type.add(entries)
    }
  }
}

function message(type: protobuf.Type, seen: Map<protobuf.Type, MessageContract>): MessageContract {
  const known = seen.get(type)
  if (known) return known
  const fields: FieldContract[] = []
  const lists = /^List.*Response$/.test(type.name)
  const made: MessageContract = { name: type.name, fields, lists, doc: type.comment ?? '', type }
  seen.set(type, made)
  // In the order of the proto file, which is that of their numbers.
  for (const raw of type.fieldsArray.toSorted((a, b) => a.id - b.id)) {
    const field = raw.resolve()
    const holds = kind(field, seen)
    const name = field.name
    fields.push({
      name,
      awsName: awsName(field),
      holds,
      repeated: field.repeated && holds.kind !== 'map',
      optional: field.options?.proto3_optional === true,
      rule: rule(field, holds),
      secret: holds.kind === 'bytes' || field.options?.debug_redact === true,
      plaintext: holds.kind === 'bytes' && field.options?.debug_redact === true,
      context: holds.kind === 'map' && CONTEXT.test(name),
      doc: field.comment ?? '',
    })
  }
  return made
}

function awsName(field: protobuf.Field): string {
  const given: unknown = field.options?.json_name
  return typeof given === 'string'
    ? given
    : field.name.charAt(0).toUpperCase() + field.name.slice(1)
}

function kind(field: protobuf.Field, seen: Map<protobuf.Type, MessageContract>): FieldKind {
  const { resolvedType } = field
  if (resolvedType?.name === MAP_ENTRY) return { kind: 'map' }
  if (resolvedType instanceof protobuf.Enum)
    return { kind: 'enum', enum: enumeration(resolvedType) }
  if (resolvedType?.fullName === '.google.protobuf.Timestamp') return { kind: 'timestamp' }
  if (resolvedType) return { kind: 'message', message: message(resolvedType, seen) }
  switch (field.type) {
    case 'string':
    case 'bytes':
    case 'bool':
    case 'int32':
      return { kind: field.type }
    default:
      throw new Error(`${field.fullName} has the type ${field.type}, which no codec knows`)
  }
}

function enumeration(type: protobuf.Enum): EnumContract {
  const prefix: EnumPrefix | string =
    `${type.name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()}_`
  const pascalCase = type.getOption('(keyslot.v1.pascal_case)') === true
  const byNumber = new Map<number, string>()
  const toNumber = new Map<string, number>()
  for (const [full, number] of Object.entries(type.values)) {
    if (number === 0) continue
    const bare = full.slice(prefix.length)
    const name = pascalCase ? pascal(bare) : bare
    byNumber.set(number, name)
    toNumber.set(name, number)
  }
  return { name: type.name, prefix, names: [...toNumber.keys()], byNumber, toNumber }
}

function pascal(capitals: string): string {
  return capitals
    .toLowerCase()
    .replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

/** The rule as protobufjs reads the option: an aggregate with the names of the proto file. */
interface RuleOption {
  readonly required?: boolean
  readonly min?: number
  readonly max?: number
  readonly pattern?: string
  readonly item_min?: number
  readonly item_max?: number
  readonly default?: string
}

function rule(field: protobuf.Field, holds: FieldKind): Rule {
  // The declared type is that of one option; the value is a list of them.
  const parsed = (field.parsedOptions ?? []) as unknown as readonly Record<string, unknown>[]
  const option = parsed.find((each) => '(keyslot.v1.rule)' in each)
  const given = (option?.['(keyslot.v1.rule)'] ?? {}) as RuleOption
  return {
    required: given.required,
    min: given.min,
    max: given.max,
    pattern: given.pattern === undefined ? undefined : new RegExp(`^(?:${given.pattern})$`),
    itemMin: given.item_min,
    itemMax: given.item_max,
    default: holds.kind === 'int32' && given.default ? Number(given.default) : given.default,
  }
}

/** The contract. */
export const CONTRACT: Contract = load()

/** Whether a field is left out of AWS's JSON: it is absent, or an empty list or map. */
export function isLeftOut({ lists }: MessageContract, value: unknown): boolean {
  if (value === undefined) return true
  if (lists) return false
  return (Array.isArray(value) && value.length === 0) || (value instanceof Map && value.size === 0)
}

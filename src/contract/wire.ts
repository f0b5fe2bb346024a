/** Messages between protobuf's wire format and AWS's terms (`src/service.ts`). */

import { isUtf8 } from 'node:buffer'
import { fail } from '../model/failures.ts'
import type { FieldContract, MessageContract } from './contract.ts'

/** A message in AWS's terms, whatever its type. */
export type PlainMessage = Readonly<Record<string, unknown>>

/**
 * Decodes a message. Byte fields are views into `bytes`.
 *
 * @throws KmsError ValidationException for bytes that are not the message, malformed UTF-8 in a
 *   map, or two equal keys in a map.
 */
export function decodeMessage(contract: MessageContract, bytes: Uint8Array): PlainMessage {
  let decoded: unknown
  try {
    decoded = contract.type.decode(bytes)
  } catch (cause) {
    fail('ValidationException', `The request is not a ${contract.name}.`, { cause })
  }
  return toPlain(contract, decoded as object)
}

/** Encodes a message. The bytes are the caller's own: nobody else holds them. */
export function encodeMessage(contract: MessageContract, plain: PlainMessage): Buffer {
  return view(contract.type.encode(toWire(contract, plain)).finish())
}

function toPlain(contract: MessageContract, decoded: object): PlainMessage {
  const plain: Record<string, unknown> = {}
  for (const field of contract.fields) {
    const given = Object.hasOwn(decoded, field.name)
    if (!given && isAbsentable(field)) continue
    const value: unknown = Reflect.get(decoded, field.name)
    if (field.holds.kind === 'map') plain[field.name] = mapFromEntries(field, value)
    else if (!field.repeated) plain[field.name] = valueToPlain(field, value)
    else plain[field.name] = (value as unknown[]).map((item) => valueToPlain(field, item))
  }
  return plain
}

/** Whether a field that is not on the wire is absent, rather than its zero value. */
function isAbsentable({ optional, repeated, holds: { kind } }: FieldContract): boolean {
  if (repeated) return false
  return optional || kind === 'enum' || kind === 'message' || kind === 'timestamp'
}

function valueToPlain(field: FieldContract, value: unknown): unknown {
  const { holds } = field
  switch (holds.kind) {
    case 'enum':
      // An unknown number stays, as text, for validation to name.
      return value === 0 ? undefined : (holds.enum.byNumber.get(Number(value)) ?? String(value))
    case 'message':
      return toPlain(holds.message, value as object)
    case 'timestamp': {
      const { seconds, nanos } = value as { seconds: unknown; nanos: number }
      return new Date(Number(seconds) * 1000 + Math.round(nanos / 1e6))
    }
    case 'bytes':
      return view(value)
    default:
      return value
  }
}

function mapFromEntries(field: FieldContract, value: unknown): ReadonlyMap<string, string> {
  const map = new Map<string, string>()
  for (const entry of value as { key: unknown; value: unknown }[]) {
    const key = text(field, entry.key)
    if (map.has(key)) fail('ValidationException', `Duplicate key '${key}' at '${field.name}'.`)
    map.set(key, text(field, entry.value))
  }
  return map
}

/** protobufjs stands an empty array for absent bytes. */
function view(bytes: unknown): Buffer {
  if (!(bytes instanceof Uint8Array)) return Buffer.alloc(0)
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function text(field: FieldContract, bytes: unknown): string {
  const given = view(bytes)
  if (!isUtf8(given)) fail('ValidationException', `Malformed UTF-8 at '${field.name}'.`)
  return given.toString()
}

function toWire(contract: MessageContract, plain: PlainMessage): Record<string, unknown> {
  const wire: Record<string, unknown> = {}
  for (const field of contract.fields) {
    const value = plain[field.name]
    if (value === undefined) continue
    if (field.holds.kind === 'map') {
      wire[field.name] = [...(value as ReadonlyMap<string, string>)].map(([key, item]) => ({
        key: Buffer.from(key),
        value: Buffer.from(item),
      }))
    } else if (!field.repeated) wire[field.name] = valueToWire(field, value)
    else wire[field.name] = (value as unknown[]).map((item) => valueToWire(field, item))
  }
  return wire
}

function valueToWire({ name, holds }: FieldContract, value: unknown): unknown {
  switch (holds.kind) {
    case 'enum': {
      const number = holds.enum.toNumber.get(String(value))
      if (number === undefined) {
        fail('ValidationException', `'${value}' at '${name}' is not a ${holds.enum.name}.`)
      }
      return number
    }
    case 'message':
      return toWire(holds.message, value as PlainMessage)
    case 'timestamp': {
      const ms = (value as Date).getTime()
      const seconds = Math.floor(ms / 1000)
      return { seconds, nanos: (ms - seconds * 1000) * 1e6 }
    }
    default:
      return value
  }
}

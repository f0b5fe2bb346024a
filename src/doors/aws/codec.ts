/**
 * Requests and responses between AWS's JSON and AWS's terms, as the contract has them: names,
 * blobs in base64, times in seconds since the epoch, enum values by their names. An operation
 * that the contract gains needs no line here.
 * https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
 */

import {
  CONTRACT,
  type FieldContract,
  isLeftOut,
  type MessageContract,
} from '../../contract/contract.ts'
import { noteGiven } from '../../contract/given.ts'
import type { PlainMessage } from '../../contract/wire.ts'
import { fail } from '../../model/failures.ts'
import type { RpcName, Service } from '../../service.ts'
import { type JsonKind, JsonReader } from './json/reader.ts'
import { JsonWriter } from './json/writer.ts'

/**
 * Decodes a request. Blobs are views into `bytes`, where they take the place of their base64: who
 * zeroes `bytes` has zeroed them.
 *
 * @throws KmsError SerializationException for bytes that are no such request.
 */
export function decodeRequest<N extends RpcName>(name: N, bytes: Buffer): Service[N]['request'] {
  const { request } = CONTRACT[name]
  if (bytes.length === 0) return zeroMessage(request) as Service[N]['request']
  const reader = new JsonReader(bytes)
  const message = readMessage(request, reader)
  reader.end()
  return message as Service[N]['request']
}

/**
 * Encodes a response; no bytes at all where AWS answers none. Plaintexts of the response are
 * zeroed: they are in the bytes that come back, which the caller zeroes once they are sent.
 */
export function encodeResponse<N extends RpcName>(
  name: N,
  response: Service[N]['response'],
): Buffer {
  const contract = CONTRACT[name].response
  if (contract.fields.length === 0) return Buffer.alloc(0)
  const writer = new JsonWriter()
  writeMessage(contract, response, writer)
  return writer.finish()
}

interface Shape {
  readonly byAwsName: ReadonlyMap<string, FieldContract>
  /** What gRPC makes of fields that are not on the wire; nobody writes into it. */
  readonly zero: PlainMessage
}

const shapes = new WeakMap<MessageContract, Shape>()

function shapeOf(contract: MessageContract): Shape {
  const known = shapes.get(contract)
  if (known) return known
  const { fields } = contract
  const zeros = fields.map((field) => [field.name, zeroOf(field)] as const)
  const shape: Shape = {
    byAwsName: new Map(fields.map((field) => [field.awsName, field])),
    zero: Object.fromEntries(zeros.filter(([, zero]) => zero !== undefined)),
  }
  shapes.set(contract, shape)
  return shape
}

/** Both doors hand the pipeline the same: an absent field is what it is in `contract/wire.ts`. */
function zeroOf({ repeated, optional, holds }: FieldContract): unknown {
  if (repeated) return []
  if (holds.kind === 'map') return new Map()
  if (optional) return undefined
  switch (holds.kind) {
    case 'string':
      return ''
    case 'bytes':
      return Buffer.alloc(0)
    case 'bool':
      return false
    case 'int32':
      return 0
    default:
      return undefined
  }
}

/** A message of which nothing was given, to give it what was. */
export function zeroMessage(contract: MessageContract): Record<string, unknown> {
  return { ...shapeOf(contract).zero }
}

function readMessage(contract: MessageContract, reader: JsonReader): PlainMessage {
  expectKind(reader, 'object', contract.name)
  const { byAwsName } = shapeOf(contract)
  const message = zeroMessage(contract)
  reader.object((name) => {
    const field = byAwsName.get(name)
    // Clients that are newer than we are may say more.
    if (field === undefined) reader.skip()
    else if (reader.kind() === 'null') reader.null()
    else {
      const value = readField(field, reader)
      message[field.name] = value
      noteGiven(message, field.name, value)
    }
  })
  return message
}

function readField(field: FieldContract, reader: JsonReader): unknown {
  if (!field.repeated) return readValue(field, reader)
  expectKind(reader, 'array', field.awsName)
  const items: unknown[] = []
  reader.array(() => items.push(readValue(field, reader)))
  return items
}

function readValue(field: FieldContract, reader: JsonReader): unknown {
  const { holds, awsName } = field
  switch (holds.kind) {
    case 'string':
    case 'enum':
      // A value that the enum does not have stays, for validation to name.
      expectKind(reader, 'string', awsName)
      return reader.string()
    case 'bytes':
      expectKind(reader, 'string', awsName)
      return reader.base64()
    case 'bool':
      expectKind(reader, 'boolean', awsName)
      return reader.boolean()
    case 'int32':
      expectKind(reader, 'number', awsName)
      return int32(reader.number(), awsName)
    case 'timestamp':
      expectKind(reader, 'number', awsName)
      return time(reader.number(), awsName)
    case 'map':
      return readMap(reader, awsName)
    case 'message':
      return readMessage(holds.message, reader)
  }
}

function readMap(reader: JsonReader, awsName: string): ReadonlyMap<string, string> {
  expectKind(reader, 'object', awsName)
  const map = new Map<string, string>()
  reader.object((key) => {
    expectKind(reader, 'string', awsName)
    map.set(key, reader.string())
  })
  return map
}

const FOUND: Readonly<Record<JsonKind, string>> = {
  object: 'Start of structure or map',
  array: 'Start of list',
  string: 'STRING_VALUE',
  number: 'NUMBER_VALUE',
  boolean: 'BOOLEAN_VALUE',
  null: 'NULL_VALUE',
}

const WANTED: Readonly<Record<JsonKind, string>> = {
  object: 'a structure or map',
  array: 'a list',
  string: 'String',
  number: 'a number',
  boolean: 'Boolean',
  null: 'null',
}

function expectKind(reader: JsonReader, wanted: JsonKind, where: string): void {
  const found = reader.kind()
  if (found === wanted) return
  fail(
    'SerializationException',
    `${FOUND[found]} cannot be converted to ${WANTED[wanted]} at ${where}`,
  )
}

function int32(number: number, where: string): number {
  if (Number.isInteger(number) && Math.abs(number) < 2 ** 31) return number
  return fail('SerializationException', `NUMBER_VALUE cannot be converted to Integer at ${where}`)
}

function time(seconds: number, where: string): Date {
  const date = new Date(Math.round(seconds * 1000))
  if (!Number.isNaN(date.getTime())) return date
  return fail('SerializationException', `NUMBER_VALUE cannot be converted to Timestamp at ${where}`)
}

function writeMessage(contract: MessageContract, message: PlainMessage, writer: JsonWriter): void {
  let before = '{'
  for (const field of contract.fields) {
    const value = message[field.name]
    if (isLeftOut(contract, value)) continue
    writer.raw(`${before}"${field.awsName}":`)
    before = ','
    writeField(field, value, writer)
  }
  writer.raw(before === '{' ? '{}' : '}')
}

function writeField(field: FieldContract, value: unknown, writer: JsonWriter): void {
  if (!field.repeated) {
    writeValue(field, value, writer)
    return
  }
  let before = '['
  for (const item of value as readonly unknown[]) {
    writer.raw(before)
    before = ','
    writeValue(field, item, writer)
  }
  writer.raw(before === '[' ? '[]' : ']')
}

function writeValue(field: FieldContract, value: unknown, writer: JsonWriter): void {
  const { holds } = field
  switch (holds.kind) {
    case 'string':
    case 'enum':
      writer.string(String(value))
      break
    case 'bytes':
      writer.base64(value as Uint8Array)
      if (field.plaintext) (value as Uint8Array).fill(0)
      break
    case 'bool':
    case 'int32':
      writer.raw(String(value))
      break
    case 'timestamp':
      writer.raw(String((value as Date).getTime() / 1000))
      break
    case 'map':
      writeMap(value as ReadonlyMap<string, string>, writer)
      break
    case 'message':
      writeMessage(holds.message, value as PlainMessage, writer)
  }
}

function writeMap(map: ReadonlyMap<string, string>, writer: JsonWriter): void {
  let before = '{'
  for (const [key, item] of map) {
    writer.raw(before)
    before = ','
    writer.string(key)
    writer.raw(':')
    writer.string(item)
  }
  writer.raw(before === '{' ? '{}' : '}')
}

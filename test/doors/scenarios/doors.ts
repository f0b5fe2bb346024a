/** The two doors as one: a call by its name with a request in AWS's terms, and how it ended. */

import type { IncomingHttpHeaders } from 'node:http'
import type { Client } from '../../../src/client/client.ts'
import { KeyslotError } from '../../../src/client/error.ts'
import {
  CONTRACT,
  type FieldContract,
  type MessageContract,
} from '../../../src/contract/contract.ts'
import type { PlainMessage } from '../../../src/contract/wire.ts'
import type { RpcName } from '../../../src/service.ts'
import type { RunningService } from '../../harness.ts'
import { type AccessKey, send, sign } from '../aws/sign.ts'
import type { CallerName } from './scenario.ts'

/** How a call ended. */
export interface Ending {
  readonly response?: PlainMessage
  readonly failure?: { readonly name: string; readonly message: string }
  /** What the answer, the audit record and the log share. */
  readonly requestId?: string
  /** Of the AWS door: what HTTP says beside. */
  readonly http?: {
    readonly status: number
    readonly headers: IncomingHttpHeaders
    /** Of a failure: the body as it came. */
    readonly body?: Readonly<Record<string, unknown>>
  }
}

/** A door. */
export type Door = (name: RpcName, request: PlainMessage, as?: CallerName) => Promise<Ending>

/** Calls over gRPC. */
export function grpcDoor(clientOf: (caller: CallerName) => Client): Door {
  return async (name, request, as = 'root') => {
    try {
      return { response: await clientOf(as).call(name, request as never) }
    } catch (error) {
      if (!(error instanceof KeyslotError)) throw error
      const { name: failure, message, requestId } = error
      return { failure: { name: failure, message }, requestId }
    }
  }
}

/** Calls in AWS's protocol. */
export function awsDoor(
  { service, clock, place }: RunningService,
  keys: Readonly<Record<CallerName, AccessKey>>,
): Door {
  const { awsEndpoint: endpoint } = service
  return async (name, request, as = 'root') => {
    const signed = sign(keys[as], {
      operation: name,
      body: JSON.stringify(toAws(CONTRACT[name].request, request)),
      host: new URL(endpoint).host,
      timeMs: clock(),
      region: place.region,
    })
    const { status, headers, json } = await send(endpoint, signed)
    const requestId = String(headers['x-amzn-requestid'])
    if (status === 200) {
      return {
        response: fromAws(CONTRACT[name].response, json),
        requestId,
        http: { status, headers },
      }
    }
    const failure = { name: String(json.__type), message: String(json.message) }
    return { failure, requestId, http: { status, headers, body: json } }
  }
}

function toAws(contract: MessageContract, message: PlainMessage): object {
  return Object.fromEntries(
    contract.fields
      .filter(({ name }) => message[name] !== undefined)
      .map((field) => [field.awsName, each(field, message[field.name], valueToAws)]),
  )
}

function fromAws(contract: MessageContract, json: PlainMessage): PlainMessage {
  return Object.fromEntries(
    contract.fields
      .map((field) => [field, json[field.awsName] ?? absent(field)] as const)
      .filter(([, value]) => value !== undefined)
      .map(([field, value]) => [field.name, each(field, value, valueFromAws)]),
  )
}

/** Lists and maps that AWS leaves out are empty over gRPC. */
function absent({ repeated, holds }: FieldContract): unknown {
  if (repeated) return []
  return holds.kind === 'map' ? {} : undefined
}

function each(
  field: FieldContract,
  value: unknown,
  convert: (field: FieldContract, value: unknown) => unknown,
): unknown {
  if (!field.repeated) return convert(field, value)
  return (value as readonly unknown[]).map((item) => convert(field, item))
}

function valueToAws({ holds }: FieldContract, value: unknown): unknown {
  switch (holds.kind) {
    case 'bytes':
      return Buffer.from(value as Uint8Array).toString('base64')
    case 'timestamp':
      return (value as Date).getTime() / 1000
    case 'map':
      return Object.fromEntries(value as ReadonlyMap<string, string>)
    case 'message':
      return toAws(holds.message, value as PlainMessage)
    default:
      return value
  }
}

function valueFromAws({ holds }: FieldContract, value: unknown): unknown {
  switch (holds.kind) {
    case 'bytes':
      return Buffer.from(String(value), 'base64')
    case 'timestamp':
      return new Date(Number(value) * 1000)
    case 'map':
      return new Map(Object.entries(value as object))
    case 'message':
      return fromAws(holds.message, value as PlainMessage)
    default:
      return value
  }
}

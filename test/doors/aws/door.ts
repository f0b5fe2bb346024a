/** An AWS door for tests, over a pipeline that the test hands in, with access keys of its own. */

import { createAdmission } from '../../../src/doors/admission.ts'
import type { FindCallerCredential } from '../../../src/doors/aws/authenticate.ts'
import {
  type AwsDoor,
  type AwsDoorParts,
  type AwsDoorSettings,
  startAwsDoor,
} from '../../../src/doors/aws/server.ts'
import type { Caller } from '../../../src/model/caller.ts'
import type { Call, Pipeline } from '../../../src/pipeline/call.ts'
import type { RpcName } from '../../../src/service.ts'
import { ACCOUNT } from '../door.ts'
import {
  type AccessKey,
  type Answered,
  type SendOptions,
  send,
  sign,
  type Unsigned,
} from './sign.ts'

/** The access key of a user of the account. */
export const ADA: AccessKey = {
  accessKeyId: 'AKIDEXAMPLE000000001',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
}
/** Temporary credentials of the same user. */
export const ADA_FOR_NOW: AccessKey = {
  accessKeyId: 'ASIDEXAMPLE000000002',
  secretAccessKey: 'kMyGtbXq0Wl5oJrS7oFEXAMPLEsecondKey00000',
  sessionToken: 'AQoDYXdzEPT//////////wEXAMPLE==',
}
/** Whose they are. */
export const CALLER: Caller = {
  arn: `arn:aws:iam::${ACCOUNT}:user/ada`,
  account: ACCOUNT,
  kind: 'user',
  principalId: 'AIDAEXAMPLE',
}

/** Somebody else who calls, and with what key. */
export interface OtherCaller {
  readonly key: AccessKey
  readonly caller: Caller
}

/** A call as the pipeline of a test sees it. */
export type SeenCall = Call<RpcName>

/** A door that is being tried. */
export interface TriedAwsDoor {
  readonly door: AwsDoor
  readonly host: string
  /** What the door has refused itself. */
  readonly refused: string[]
  /** What the door takes for the time; the machine's time and this. */
  aheadMs: number
  now(): number
  /** Signs a call as ada, at the door's time, and sends it. */
  call(
    operation: string,
    body: string | object,
    more?: Partial<Unsigned> & { readonly key?: AccessKey; readonly send?: SendOptions },
  ): Promise<Answered>
  [Symbol.asyncDispose](): Promise<void>
}

/** Starts a door whose pipeline is one function. */
export async function tryAwsDoor(
  run: (name: RpcName, call: SeenCall) => Promise<unknown>,
  settings: Partial<AwsDoorSettings> & {
    readonly maxInFlightPerIdentity?: number
    readonly others?: readonly OtherCaller[]
    readonly toGrpc?: AwsDoorParts['toGrpc']
  } = {},
): Promise<TriedAwsDoor> {
  const refused: string[] = []
  const { maxInFlightPerIdentity = 64, others = [], toGrpc, ...rest } = settings
  const now = () => Date.now() + tried.aheadMs
  const door = await startAwsDoor(
    { listen: { host: '127.0.0.1', port: 0 }, region: 'eu-central-1', ...rest },
    {
      pipeline: { call: (name, call) => run(name as RpcName, call as SeenCall) } as Pipeline,
      admission: createAdmission({ maxInFlight: 256, maxInFlightPerIdentity }),
      credential: (accessKeyId, sessionToken) => {
        const other = others.find(({ key }) => key.accessKeyId === accessKeyId)
        if (other) return { ...other.key, caller: () => other.caller }
        return findCredential(accessKeyId, sessionToken)
      },
      log: () => {},
      toGrpc,
      clock: now,
      onEnd: (name, _door, outcome) => refused.push(`${name} ${outcome}`),
    },
  )
  const { host } = new URL(door.endpoint)
  const tried: TriedAwsDoor = {
    door,
    host,
    refused,
    aheadMs: 0,
    now,
    call(operation, body, { key = ADA, send: options, ...more } = {}) {
      const text = typeof body === 'string' ? body : JSON.stringify(body)
      const unsigned = { operation, body: text, host, timeMs: now(), ...more }
      return send(door.endpoint, sign(key, unsigned), options)
    },
    [Symbol.asyncDispose]: () => door.stop(0),
  }
  return tried
}

const inAnHourMs = Date.now() + 3_600_000

const findCredential: FindCallerCredential = async (accessKeyId, sessionToken) => {
  const caller = () => CALLER
  if (accessKeyId === ADA.accessKeyId && sessionToken === undefined) return { ...ADA, caller }
  const isForNow =
    accessKeyId === ADA_FOR_NOW.accessKeyId && sessionToken === ADA_FOR_NOW.sessionToken
  return isForNow ? { ...ADA_FOR_NOW, expiresMs: inAnHourMs, caller } : undefined
}

/** What happens to a call of an operation at this door: in by its bytes, out by its bytes. */

import { randomUUID } from 'node:crypto'
import type { handleUnaryCall, ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js'
import { type FailureName, fail, KmsError } from '../../model/failures.ts'
import { OPERATIONS } from '../../operations/table.ts'
import type { Pipeline } from '../../pipeline/call.ts'
import type { Identities } from '../../pipeline/identities.ts'
import type { RpcName, Service } from '../../service.ts'
import { type Admission, guestOf, type Visit } from '../admission.ts'
import { authenticate, shownBy } from './authenticate.ts'
import { decodeRequest, encodeResponse } from './codec.ts'
import type { Connection, Connections } from './connections.ts'
import { statusOf, trailersOf } from './errors.ts'

/** Told of calls that the door refuses itself; the pipeline never hears of them. */
export type OnRefused = (operation: RpcName, failure: FailureName, seconds: number) => void

/** What calls need. */
export interface CallParts {
  readonly pipeline: Pipeline
  readonly identities: Pick<Identities, 'callerOf' | 'bearer'>
  readonly admission: Admission
  readonly connections: Connections
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  readonly onRefused: OnRefused
}

type Call = ServerUnaryCall<Buffer, Buffer>

const USER_AGENT_LENGTH_MAX = 256

/** The handler of an rpc. Requests arrive, and responses leave, as bytes. */
export function handlerOf(name: RpcName, parts: CallParts): handleUnaryCall<Buffer, Buffer> {
  return (call, respond) => {
    void answer(name, parts, call, respond)
  }
}

async function answer(
  name: RpcName,
  parts: CallParts,
  call: Call,
  respond: sendUnaryData<Buffer>,
): Promise<void> {
  const requestId = randomUUID()
  const startMs = performance.now()
  let settled = false
  // A listener would cost every call; and what has been answered counts as cancelled, too.
  const gone = {
    get aborted() {
      return !settled && call.cancelled
    },
  }
  let visit: Visit | undefined
  try {
    checkStillWanted(call)
    const connection = parts.connections.of(call)
    const { isSlow = false } = OPERATIONS[name]
    visit = parts.admission.enter(connection.guest, isSlow && connection.identity !== undefined)
    const entered = { call, connection, visit, requestId, gone }
    const response = encodeResponse(name, await run(name, parts, entered))
    respond(null, response, trailersOf(requestId))
    // grpc-js has copied it into its frame.
    response.fill(0)
  } catch (cause) {
    const error = KmsError.from(cause)
    if (!visit) parts.onRefused(name, error.name, (performance.now() - startMs) / 1000)
    respond(statusOf(error, requestId))
  } finally {
    settled = true
    visit?.leave()
    // A plaintext may be in it; nothing reads it any more.
    call.request.fill(0)
  }
}

/** A call that has been let in. */
interface Entered {
  readonly call: Call
  readonly connection: Connection
  readonly visit: Visit
  readonly requestId: string
  /** Says whether the client has cancelled the call. */
  readonly gone: Pick<AbortSignal, 'aborted'>
}

function run<N extends RpcName>(
  name: N,
  { pipeline, identities, clock }: CallParts,
  { call, connection, visit, requestId, gone }: Entered,
): Promise<Service[N]['response']> {
  const { identity, remoteAddress } = connection
  const [userAgent] = call.metadata.get('user-agent')
  return pipeline.call<N>(name, {
    door: 'grpc',
    requestId,
    authenticate: () => {
      const shown = { ...shownBy(call.metadata), sourceAddress: remoteAddress }
      const caller = authenticate(identities, identity, shown, clock())
      if (shown.token === undefined) return caller
      return caller.then((holder) => {
        visit.become(guestOf(holder), OPERATIONS[name].isSlow)
        return holder
      })
    },
    request: () => decodeRequest(name, call.request),
    sourceAddress: remoteAddress,
    userAgent: userAgent?.toString().slice(0, USER_AGENT_LENGTH_MAX),
    limits: { deadlineMs: deadlineMsOf(call), signal: gone },
  })
}

/** A stream that its client resets may still come this far. */
function checkStillWanted(call: Call): void {
  if (call.cancelled) fail('RequestAbortedException', 'The call was cancelled.')
  const deadlineMs = deadlineMsOf(call)
  if (deadlineMs !== undefined && deadlineMs <= Date.now()) {
    fail('RequestAbortedException', 'The deadline passed.', { grpc: 'DEADLINE_EXCEEDED' })
  }
}

/** By the machine's own clock, as grpc-js has it. */
function deadlineMsOf(call: Call): number | undefined {
  const deadlineMs = Number(call.getDeadline())
  return Number.isFinite(deadlineMs) ? deadlineMs : undefined
}

/** What happens to a request at this door: which call it is, who makes it, and what it is answered. */

import { randomUUID } from 'node:crypto'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { CONTRACT } from '../../contract/contract.ts'
import type { Caller } from '../../model/caller.ts'
import { type FailureName, fail, KmsError } from '../../model/failures.ts'
import { OPERATIONS } from '../../operations/table.ts'
import type { Pipeline } from '../../pipeline/call.ts'
import type { RpcName } from '../../service.ts'
import type { Admission } from '../admission.ts'
import { type HttpAnswer, JSON_TYPE, send } from './answer.ts'
import type { Authentication, Identity } from './authenticate.ts'
import { readBody } from './body.ts'
import { decodeRequest, encodeResponse } from './codec.ts'
import { errorAnswer } from './errors.ts'
import { readHeaders, type SignedRequest, single } from './signature/request.ts'

/** Told of calls that the door refuses itself; the pipeline never hears of them. */
export type OnRefused = (operation: RpcName, failure: FailureName, seconds: number) => void

/** What calls need. */
export interface CallParts {
  readonly pipeline: Pipeline
  readonly admission: Admission
  readonly authentication: Authentication
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  readonly onRefused: OnRefused
  /** Aborted when the connection of a request has closed. */
  readonly goneOf: (request: IncomingMessage) => AbortSignal
  /** Whether no more requests are wanted. */
  readonly isStopping: () => boolean
}

/** A call that has arrived in full. */
interface Arrived {
  readonly requestId: string
  readonly request: SignedRequest & { readonly body: Buffer }
  readonly sourceAddress: string | undefined
  readonly gone: AbortSignal
}

const TARGET = /^TrentService\.(\w{1,64})$/
const JSON_CONTENT = /^application\/x-amz-json-1\.1 *(?:;|$)/i
const USER_AGENT_LENGTH_MAX = 256
/** What those count as who have not proved who they are. */
const NOBODY = 'nobody'

/** Answers every request to the door. */
export function requestListener(parts: CallParts): RequestListener {
  return (request, response) => {
    void answer(parts, request, response)
  }
}

async function answer(
  parts: CallParts,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const requestId = randomUUID()
  let body: Buffer | undefined
  let answered: HttpAnswer
  try {
    const { method = '', url: target = '', rawHeaders } = incoming
    const headers = readHeaders(rawHeaders)
    const name = operationOf({ method, target, headers })
    body = await readBody(incoming)
    answered = await call(name, parts, {
      requestId,
      request: { method, target, headers, body },
      sourceAddress: incoming.socket.remoteAddress,
      gone: parts.goneOf(incoming),
    })
  } catch (cause) {
    answered = errorAnswer(KmsError.from(cause))
  } finally {
    // A plaintext may be in it; nothing reads it any more.
    body?.fill(0)
  }
  const close = body === undefined || parts.isStopping()
  send(response, answered, { requestId, nowMs: parts.clock(), close })
}

/** @throws KmsError UnknownOperationException for whatever is no call of an operation. */
function operationOf({ method, target, headers }: Omit<SignedRequest, 'body'>): RpcName {
  const [, name = ''] = TARGET.exec(single(headers, 'x-amz-target') ?? '') ?? []
  const isCall =
    method === 'POST' &&
    target === '/' &&
    JSON_CONTENT.test(single(headers, 'content-type') ?? '') &&
    Object.hasOwn(CONTRACT, name)
  if (!isCall) {
    fail('UnknownOperationException', 'The action or operation requested is not recognized.')
  }
  if (headers.has('content-encoding')) {
    fail('SerializationException', 'The body of the request must not be compressed.')
  }
  return name as RpcName
}

async function call<N extends RpcName>(
  name: N,
  parts: CallParts,
  arrived: Arrived,
): Promise<HttpAnswer> {
  const { admission, authentication, onRefused } = parts
  const startMs = performance.now()
  let leave: (() => void) | undefined
  try {
    const leaveNobody = admission.enter(NOBODY)
    const identity = await authentication
      .identify(arrived.request, 'kms', OPERATIONS[name].changes)
      .finally(leaveNobody)
    leave = admission.enter('caller' in identity ? identity.caller.arn : NOBODY)
    return { status: 200, type: JSON_TYPE, body: await run(name, parts, arrived, identity) }
  } catch (cause) {
    const error = KmsError.from(cause)
    if (!leave) onRefused(name, error.name, (performance.now() - startMs) / 1000)
    return errorAnswer(error)
  } finally {
    leave?.()
  }
}

async function run<N extends RpcName>(
  name: N,
  { pipeline }: CallParts,
  { requestId, request, sourceAddress, gone }: Arrived,
  identity: Identity,
): Promise<Buffer> {
  const { headers, body } = request
  const response = await pipeline.call<N>(name, {
    door: 'aws',
    requestId,
    authenticate: () => callerIn(identity),
    request: () => decodeRequest(name, body),
    sourceAddress,
    userAgent: headers.get('user-agent')?.[0]?.slice(0, USER_AGENT_LENGTH_MAX),
    limits: { signal: gone },
  })
  return encodeResponse(name, response)
}

function callerIn(identity: Identity): Caller {
  if ('refusal' in identity) throw identity.refusal
  return identity.caller
}

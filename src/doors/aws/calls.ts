/** What happens to a request at this door: which call it is, who makes it, and what it is answered. */

import { randomUUID } from 'node:crypto'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { TLSSocket } from 'node:tls'
import type { Caller } from '../../model/caller.ts'
import { type FailureName, KmsError } from '../../model/failures.ts'
import { OPERATIONS } from '../../operations/table.ts'
import type { Pipeline } from '../../pipeline/call.ts'
import type { RpcName } from '../../service.ts'
import { type Admission, guestOf, nobodyAt, unverifiedAt, type Visit } from '../admission.ts'
import { type HttpAnswer, send } from './answer.ts'
import type { Authentication, Identity } from './authenticate.ts'
import { readBody } from './body.ts'
import { type Asked, checkHead, protocolOf } from './protocol.ts'
import { readHeaders, type SignedRequest } from './signature/request.ts'

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
  readonly secureTransport: boolean
  readonly gone: AbortSignal
}

const USER_AGENT_LENGTH_MAX = 256

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
  const { method = '', url: target = '', rawHeaders } = incoming
  const headers = readHeaders(rawHeaders)
  const protocol = protocolOf({ headers })
  try {
    checkHead({ method, target, headers })
    body = await readBody(incoming)
    const request = { method, target, headers, body }
    answered = await call(protocol.asked(request, requestId), parts, {
      requestId,
      request,
      sourceAddress: incoming.socket.remoteAddress,
      secureTransport: incoming.socket instanceof TLSSocket,
      gone: parts.goneOf(incoming),
    })
  } catch (cause) {
    answered = protocol.refuse(KmsError.from(cause), requestId)
  } finally {
    // A plaintext may be in it; nothing reads it any more.
    body?.fill(0)
  }
  const close = body === undefined || parts.isStopping()
  send(response, answered, { requestId, nowMs: parts.clock(), close })
}

async function call<N extends RpcName>(
  asked: Asked<N>,
  parts: CallParts,
  arrived: Arrived,
): Promise<HttpAnswer> {
  const { admission, authentication, onRefused } = parts
  const { name, service } = asked
  const { changes, identifies, isSlow } = OPERATIONS[name]
  const startMs = performance.now()
  const { sourceAddress } = arrived
  let visit: Visit | undefined
  let isLetIn = false
  try {
    let identity: Identity | undefined
    visit = admission.enter(identifies ? nobodyAt(sourceAddress) : unverifiedAt(sourceAddress))
    if (!identifies) {
      identity = await authentication.identify(arrived.request, service)
      if ('caller' in identity) visit.become(guestOf(identity.caller), isSlow)
      else visit.become(nobodyAt(sourceAddress))
      // Only now: a call that is not let in may be sent again as it is.
      if (changes) identity = authentication.once(identity)
    }
    isLetIn = true
    return await run(asked, parts, arrived, identity)
  } catch (cause) {
    const error = KmsError.from(cause)
    if (!isLetIn) onRefused(name, error.name, (performance.now() - startMs) / 1000)
    throw error
  } finally {
    visit?.leave()
  }
}

async function run<N extends RpcName>(
  { name, decode, encode }: Asked<N>,
  { pipeline }: CallParts,
  { requestId, request, sourceAddress, secureTransport, gone }: Arrived,
  identity: Identity | undefined,
): Promise<HttpAnswer> {
  const response = await pipeline.call<N>(name, {
    door: 'aws',
    requestId,
    authenticate: () => callerIn(identity),
    request: decode,
    sourceAddress,
    secureTransport,
    userAgent: request.headers.get('user-agent')?.[0]?.slice(0, USER_AGENT_LENGTH_MAX),
    limits: { signal: gone },
  })
  return encode(response)
}

/** Not asked of a call whose request itself says who calls, by a token. */
function callerIn(identity: Identity | undefined): Caller {
  if (!identity) throw new Error('a call is made by nobody')
  if ('refusal' in identity) throw identity.refusal
  return identity.caller
}

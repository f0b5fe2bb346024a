/**
 * The standard health service: SERVING while the HSM is ready.
 * https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 */

import {
  type Server,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js'
import { SERVICE_NAMES } from '../../contract/contract.ts'
import { HEALTH_SERVICE_NAME, standardService } from './standard-services.ts'

/** Whether the service is ready, and when that changes. */
export interface Readiness {
  ready(): boolean
  /** Calls the listener after each change; answers how to stop that. */
  onChange(listener: () => void): () => void
}

/** The health service of a server. */
export interface Health {
  /** Says NOT_SERVING from now on and ends the calls that watch. */
  stop(): void
}

/** The empty name is that of the server as a whole. */
const WATCHED_NAMES: readonly string[] = ['', ...SERVICE_NAMES]

interface HealthRequest {
  readonly service: string
}
interface HealthResponse {
  readonly status: 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN'
}
interface ListResponse {
  readonly statuses: Readonly<Record<string, HealthResponse>>
}
type Watching = ServerWritableStream<HealthRequest, HealthResponse>

/** Adds the health service to a server. */
export function addHealth(server: Server, readiness: Readiness): Health {
  const watching = new Set<Watching>()
  let stopping = false

  function healthOf(name: string): HealthResponse {
    if (!WATCHED_NAMES.includes(name)) return { status: 'SERVICE_UNKNOWN' }
    return { status: readiness.ready() && !stopping ? 'SERVING' : 'NOT_SERVING' }
  }

  function tell(): void {
    for (const call of watching) call.write(healthOf(call.request.service))
  }

  server.addService(standardService(HEALTH_SERVICE_NAME), {
    check(call: ServerUnaryCall<HealthRequest, unknown>, respond: sendUnaryData<HealthResponse>) {
      const health = healthOf(call.request.service)
      if (health.status !== 'SERVICE_UNKNOWN') respond(null, health)
      else respond({ code: status.NOT_FOUND, details: 'There is no such service.' })
    },
    list(_call: unknown, respond: sendUnaryData<ListResponse>) {
      const statuses = WATCHED_NAMES.map((name) => [name, healthOf(name)])
      respond(null, { statuses: Object.fromEntries(statuses) })
    },
    watch(call: Watching) {
      watching.add(call)
      call.once('close', () => watching.delete(call))
      call.write(healthOf(call.request.service))
    },
  })
  const stopListening = readiness.onChange(tell)
  return {
    stop() {
      stopping = true
      stopListening()
      tell()
      const error = { code: status.UNAVAILABLE, details: 'The server is stopping.' }
      for (const call of watching) call.emit('error', error)
    },
  }
}

/**
 * The gRPC door: keyslot's own interface, over TLS with client certificates or tokens. It listens, lets
 * connections and calls in, and stops without losing what is under way.
 */

import type { Socket } from 'node:net'
import { createServer, type TLSSocket, type Server as TlsServer } from 'node:tls'
import { Server } from '@grpc/grpc-js'
import { CONTRACT } from '../../contract/contract.ts'
import type { FailureName } from '../../model/failures.ts'
import type { Pipeline } from '../../pipeline/call.ts'
import type { Identities } from '../../pipeline/identities.ts'
import type { RpcName } from '../../service.ts'
import { type Admission, createAdmission } from '../admission.ts'
import { type ConnectionLimits, limitConnections } from '../connection-limits.ts'
import { addressOf, HANDSHAKE_TIMEOUT_MS, LAST_WORD_MS, listen, within } from '../listener.ts'
import { keepTlsFresh, readTls, type TlsFiles } from '../tls.ts'
import { type CallParts, handlerOf } from './calls.ts'
import { createConnections } from './connections.ts'
import { addHealth, type Readiness } from './health.ts'
import { addReflection } from './reflection/service.ts'

/** The settings of the door. */
export interface GrpcDoorSettings extends ConnectionLimits {
  /**
   * An address (port 0 is any that is free), or a socket in the file system. Without it the door
   * has the connections that it is handed.
   */
  readonly listen?: { readonly host: string; readonly port: number } | { readonly path: string }
  readonly tls: TlsFiles
  /** The trust domain of the SPIFFE IDs in client certificates. */
  readonly trustDomain: string
  /** Calls at work in all, where no admission is shared with another door; 256 unless given. */
  readonly maxInFlight?: number
  /** Calls at work for one identity; 64 unless given. */
  readonly maxInFlightPerIdentity?: number
  /** Connections of one identity; as many as it may have calls at work, unless given. */
  readonly maxConnectionsPerIdentity?: number
  /** How long a request may take to arrive in full; 5 s unless given. */
  readonly requestTimeoutMs?: number
  /** How long a TLS handshake may take; 10 s unless given. */
  readonly handshakeTimeoutMs?: number
  /** How often the TLS files are looked at; every minute unless given. */
  readonly tlsIntervalMs?: number
}

/** What the door needs. */
export interface GrpcDoorParts {
  readonly pipeline: Pipeline
  readonly identities: Pick<Identities, 'callerOf' | 'bearer' | 'takesTokens'>
  readonly log: (
    level: 'debug' | 'info' | 'warn' | 'error',
    message: string,
    fields?: object,
  ) => void
  /** Milliseconds since the epoch: by it certificates expire. */
  readonly clock: () => number
  readonly health: Readiness
  /** Bounds the calls at work; one of the door's own unless given. */
  readonly admission?: Admission
  /** Told of calls that the door refuses itself; the pipeline never hears of them. */
  readonly onEnd?: (name: RpcName, door: 'grpc', outcome: FailureName, seconds: number) => void
}

/** A running door. */
export interface GrpcDoor {
  /** `host:port`, or `unix:` and the path; empty if it does not listen. */
  readonly address: string
  /** Takes over a connection that has come in elsewhere. */
  take(socket: Socket): void
  /** Takes no new calls, finishes what is under way within `graceMs`, then cuts it off. */
  stop(graceMs: number): Promise<void>
}

const REQUEST_BYTES_MAX = 64 * 1024
/** A thousand keys in a list take 120 KiB; requests have no such reason. */
const RESPONSE_BYTES_MAX = 1024 * 1024
const MINUTE_MS = 60_000

/**
 * Starts the door.
 *
 * @throws Error when the TLS files cannot be used or the address cannot be listened on.
 */
export async function startGrpcDoor(
  settings: GrpcDoorSettings,
  parts: GrpcDoorParts,
): Promise<GrpcDoor> {
  const { maxInFlight = 256, maxInFlightPerIdentity = 64 } = settings
  const { log, onEnd } = parts
  const server = createGrpcServer(maxInFlightPerIdentity)
  const admission = parts.admission ?? createAdmission({ maxInFlight, maxInFlightPerIdentity })
  const connections = createConnections({
    server,
    trustDomain: settings.trustDomain,
    takesTokens: parts.identities.takesTokens,
    limits: {
      maxConnectionsPerIdentity: settings.maxConnectionsPerIdentity ?? maxInFlightPerIdentity,
      requestTimeoutMs: settings.requestTimeoutMs ?? 5_000,
    },
    onCut: ({ guest, remoteAddress }, reason) =>
      log('warn', 'connection cut', { reason, caller: guest.identity, remoteAddress }),
  })
  addOperations(server, {
    ...parts,
    admission,
    connections,
    onRefused: (name, failure, seconds) => onEnd?.(name, 'grpc', failure, seconds),
  })
  addReflection(server)
  const health = addHealth(server, parts.health)
  const listener = createListener(settings, (socket) => {
    connections.accept(socket).catch(({ message }: Error) => {
      log('error', 'a connection failed', { message })
      socket.destroy()
    })
  })
  limitConnections(listener, settings, log)
  listener.on('tlsClientError', ({ message }, socket) => {
    log('debug', 'TLS handshake failed', { reason: message, remoteAddress: socket.remoteAddress })
    // Node tells of a handshake that takes too long, and leaves its socket open.
    socket.destroy()
  })
  // Too many open files, for one: what is connected goes on.
  listener.on('error', ({ message }) => log('error', 'the gRPC listener failed', { message }))
  const stopTls = keepTlsFresh(listener, settings, log)
  try {
    if (settings.listen) await listen(listener, settings.listen)
  } catch (error) {
    stopTls()
    health.stop()
    connections.destroy()
    throw error
  }
  return {
    address: settings.listen ? addressOf(listener) : '',
    take(socket) {
      listener.emit('connection', socket)
    },
    async stop(graceMs) {
      stopTls()
      health.stop()
      const finished = Promise.all([
        new Promise((resolve) => listener.close(resolve)),
        // `listener` knows nothing of sockets that have come in elsewhere.
        connections.closed(),
        new Promise((resolve) => server.tryShutdown(resolve)),
        admission.idle(),
      ])
      await within(graceMs, finished)
      connections.destroy()
      await within(LAST_WORD_MS, admission.idle())
    },
  }
}

function createGrpcServer(maxConcurrentStreams: number): Server {
  return new Server({
    'grpc.max_receive_message_length': REQUEST_BYTES_MAX,
    'grpc.max_send_message_length': RESPONSE_BYTES_MAX,
    // A client that keeps to it waits for its turn, rather than being throttled.
    'grpc.max_concurrent_streams': maxConcurrentStreams,
    'grpc.keepalive_time_ms': MINUTE_MS,
    'grpc.keepalive_timeout_ms': 20_000,
    'grpc.max_connection_idle_ms': 30 * MINUTE_MS,
    // Within the hour every client certificate is held against the CA of the day again.
    'grpc.max_connection_age_ms': 60 * MINUTE_MS,
    'grpc.max_connection_age_grace_ms': MINUTE_MS,
    'grpc.enable_channelz': 0,
  })
}

/** The bytes of messages go through as they are; see `calls.ts`. */
function addOperations(server: Server, parts: CallParts): void {
  const asIs = (bytes: Buffer): Buffer => bytes
  for (const { name, service } of Object.values(CONTRACT)) {
    server.register(`/${service}/${name}`, handlerOf(name, parts), asIs, asIs, 'unary')
  }
}

function createListener(
  { tls, handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS }: GrpcDoorSettings,
  onConnection: (socket: TLSSocket) => void,
): TlsServer {
  return createServer(
    {
      ...readTls(tls),
      ALPNProtocols: ['h2'],
      requestCert: true,
      // Whoever shows no certificate has to show tokens; see `connections.ts`.
      rejectUnauthorized: false,
      handshakeTimeout: handshakeTimeoutMs,
    },
    onConnection,
  )
}

/**
 * The AWS door: for unmodified AWS CLIs and SDKs, JSON 1.1 over HTTP with Signature Version 4. It
 * listens, lets connections and calls in, and stops without losing what is under way.
 */

import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
} from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { FailureName } from '../../model/failures.ts'
import type { Pipeline } from '../../pipeline/call.ts'
import type { RpcName } from '../../service.ts'
import type { Admission } from '../admission.ts'
import { type ConnectionLimits, limitConnections } from '../connection-limits.ts'
import { addressOf, HANDSHAKE_TIMEOUT_MS, LAST_WORD_MS, listen, within } from '../listener.ts'
import { shareListener } from '../one-port.ts'
import { keepTlsFresh, readTls, type TlsFiles } from '../tls.ts'
import { createAuthentication, type FindCallerCredential } from './authenticate.ts'
import { requestListener } from './calls.ts'

/** The settings of the door. */
export interface AwsDoorSettings extends ConnectionLimits {
  /** Port 0 is any that is free. */
  readonly listen: { readonly host: string; readonly port: number }
  /** Plain HTTP without them. */
  readonly tls?: TlsFiles
  /** The Region in the scope of signatures. */
  readonly region: string
  /** How long a request may take to arrive in full; 5 s unless given. */
  readonly requestTimeoutMs?: number
  /** How often the TLS files are looked at; every minute unless given. */
  readonly tlsIntervalMs?: number
}

/** What the door needs. */
export interface AwsDoorParts {
  readonly pipeline: Pipeline
  /** Bounds the calls at work through all doors. */
  readonly admission: Admission
  readonly credential: FindCallerCredential
  readonly log: (
    level: 'debug' | 'info' | 'warn' | 'error',
    message: string,
    fields?: object,
  ) => void
  /** Milliseconds since the epoch: by it signatures expire. */
  readonly clock: () => number
  /** Takes over what comes to this door's port and is for the gRPC door, where they share one. */
  readonly toGrpc?: (socket: Socket) => void
  /** Told of calls that the door refuses itself; the pipeline never hears of them. */
  readonly onEnd?: (name: RpcName, door: 'aws', outcome: FailureName, seconds: number) => void
}

/** A running door. */
export interface AwsDoor {
  /** `host:port`. */
  readonly address: string
  /** `http://host:port`, or `https://`. */
  readonly endpoint: string
  /** Takes no new calls, finishes what is under way within `graceMs`, then cuts it off. */
  stop(graceMs: number): Promise<void>
}

const REQUEST_TIMEOUT_MS = 5_000
const HEADER_BYTES_MAX = 16 * 1024
/** As long as clients keep connections that they do not use. */
const KEEP_ALIVE_MS = 65_000

/**
 * Starts the door.
 *
 * @throws Error when the TLS files cannot be used or the address cannot be listened on.
 */
export async function startAwsDoor(
  settings: AwsDoorSettings,
  parts: AwsDoorParts,
): Promise<AwsDoor> {
  const { region, tls, requestTimeoutMs: timeoutMs = REQUEST_TIMEOUT_MS } = settings
  const { pipeline, admission, credential, log, clock, toGrpc, onEnd } = parts
  const connections = createConnections()
  const listener = requestListener({
    pipeline,
    admission,
    clock,
    authentication: createAuthentication({ region, credential, clock }),
    onRefused: (name, failure, seconds) => onEnd?.(name, 'aws', failure, seconds),
    goneOf: ({ socket }) => connections.goneOf(socket),
    isStopping: () => !server.listening,
  })
  const { server, stopTls } = createHttpServer(settings, listener, log)
  server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => connections.accept(socket))
  const closeUndecided = toGrpc && shareListener(server, { awsTls: !!tls, toGrpc, timeoutMs })
  limitConnections(server, settings, log)
  server.on('tlsClientError', ({ message }: Error, { remoteAddress }: Socket) =>
    log('debug', 'TLS handshake failed', { reason: message, remoteAddress }),
  )
  try {
    await listen(server, settings.listen)
  } catch (error) {
    stopTls()
    throw error
  }
  // Too many open files, for one: what is connected goes on.
  server.on('error', ({ message }) => log('error', 'the AWS listener failed', { message }))
  const address = addressOf(server)
  return {
    address,
    endpoint: `${tls ? 'https' : 'http'}://${address}`,
    async stop(graceMs) {
      stopTls()
      closeUndecided?.()
      const finished = Promise.all([
        // Connections that wait for a request are closed by it, the others once they are answered.
        new Promise((resolve) => server.close(resolve)),
        admission.idle(),
      ])
      await within(graceMs, finished)
      server.closeAllConnections()
      await within(LAST_WORD_MS, admission.idle())
    },
  }
}

function createHttpServer(
  { tls, tlsIntervalMs, requestTimeoutMs = REQUEST_TIMEOUT_MS }: AwsDoorSettings,
  listener: RequestListener,
  log: AwsDoorParts['log'],
): { readonly server: Server | TlsServer; readonly stopTls: () => void } {
  const options: ServerOptions = {
    requestTimeout: requestTimeoutMs,
    headersTimeout: requestTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: Math.min(requestTimeoutMs, 1_000),
    maxHeaderSize: HEADER_BYTES_MAX,
    noDelay: true,
  }
  if (tls === undefined) return { server: createServer(options, listener), stopTls: () => {} }
  const secure = { ...options, ...readTls(tls), handshakeTimeout: HANDSHAKE_TIMEOUT_MS }
  const server = createTlsServer(secure, listener)
  return { server, stopTls: keepTlsFresh(server, { tls, tlsIntervalMs }, log) }
}

/** What is known of a connection: only whether it is still there. */
function createConnections() {
  const gone = new WeakMap<Socket, AbortController>()
  const accept = (socket: Socket): AbortController => {
    const controller = new AbortController()
    gone.set(socket, controller)
    socket.once('close', () => controller.abort())
    return controller
  }
  return {
    accept,
    goneOf: (socket: IncomingMessage['socket']): AbortSignal =>
      (gone.get(socket) ?? accept(socket)).signal,
  }
}

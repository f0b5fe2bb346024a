/**
 * The status door: liveness, readiness and metrics over plain HTTP, for Kubernetes and Prometheus.
 * It says nothing about keys and changes nothing.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Registry } from 'prom-client'
import { addressOf, listen } from '../listener.ts'

/** The settings of the door. */
export interface StatusDoorSettings {
  /** Port 0 is any that is free. */
  readonly listen: { readonly host: string; readonly port: number }
}

/** What the door needs. */
export interface StatusDoorParts {
  readonly health: {
    ready(): boolean
    /** Why it is not ready. */
    reasons(): readonly string[]
  }
  readonly registry: Registry
}

/** A running door. */
export interface StatusDoor {
  /** `host:port`. */
  readonly address: string
  stop(): Promise<void>
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
}

const CONNECTIONS_MAX = 64
const REQUEST_TIMEOUT_MS = 5_000

/**
 * Starts the door.
 *
 * @throws Error when the address cannot be listened on.
 */
export async function startStatusDoor(
  settings: StatusDoorSettings,
  parts: StatusDoorParts,
): Promise<StatusDoor> {
  const server = createServer(
    {
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: REQUEST_TIMEOUT_MS,
      maxHeaderSize: 8192,
      connectionsCheckingInterval: REQUEST_TIMEOUT_MS,
    },
    (request, response) => void respond(request, response, parts),
  )
  server.maxConnections = CONNECTIONS_MAX
  await listen(server, settings.listen)
  // Too many open files, for one: the next question is answered when there are fewer.
  server.on('error', () => {})
  return { address: addressOf(server), stop: () => stop(server) }
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  parts: StatusDoorParts,
): Promise<void> {
  const { status, type, body } = await answerTo(request, parts).catch(() => text(500, 'failed'))
  // A body of the request is not waited for, and would stand before the next request.
  if (request.headers['content-length'] || request.headers['transfer-encoding']) {
    response.shouldKeepAlive = false
  }
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(status === 405 && { allow: 'GET' }),
  })
  response.end(body)
}

async function answerTo(
  { method, url }: IncomingMessage,
  { health, registry }: StatusDoorParts,
): Promise<Answer> {
  const path = url?.split('?', 1)[0]
  if (path !== '/healthz' && path !== '/readyz' && path !== '/metrics') {
    return text(404, 'not found')
  }
  if (method !== 'GET') return text(405, 'only GET')
  switch (path) {
    case '/healthz':
      return text(200, 'ok')
    case '/readyz': {
      const ready = health.ready()
      const body = JSON.stringify({ ready, reasons: ready ? [] : health.reasons() })
      return { status: ready ? 200 : 503, type: 'application/json', body }
    }
    case '/metrics':
      return { status: 200, type: registry.contentType, body: await registry.metrics() }
  }
}

function text(status: number, body: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body }
}

async function stop(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeAllConnections()
  await closed
}

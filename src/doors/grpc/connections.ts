/**
 * The connections of the door: each with the identity that its certificate names, read once, and
 * with what it may take of the server.
 */

import type { TLSSocket } from 'node:tls'
import {
  experimental,
  type Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptor,
} from '@grpc/grpc-js'
import { arnOf } from '../../model/identities/principal.ts'
import { type Guest, nobodyAt } from '../admission.ts'
import { type Arrivals, createArrivals } from './arrivals.ts'
import { type Identity, identify } from './authenticate.ts'

/** The limits of connections. */
export interface ConnectionLimits {
  /** Connections of one identity. */
  readonly maxConnectionsPerIdentity: number
  /** How long a request may take to arrive in full. */
  readonly requestTimeoutMs: number
}

/** A connection whose TLS handshake has succeeded. */
export interface Connection {
  /** Absent if the client has shown no certificate: its calls have to show a token. */
  readonly identity?: Identity
  /**
   * Who the connection is counted for, and its calls unless a token says who calls: the principal in
   * the certificate, or the address of a client that has shown none.
   */
  readonly guest: Guest
  /** Absent on a socket in the file system. */
  readonly remoteAddress?: string
}

/** The connections. */
export interface Connections {
  /**
   * Takes over a socket whose handshake has succeeded, or cuts it: if its certificate does not
   * hold, or if there is none and no token could be verified either.
   */
  accept(socket: TLSSocket): Promise<void>
  /** The connection that a call came by. */
  of(call: { getAuthContext(): AuthContext }): Connection
  /** Resolves when every connection has closed by itself, its last answer sent. */
  closed(): Promise<void>
  /** Cuts every connection. */
  destroy(): void
}

/** What connections are made of. */
export interface ConnectionParts {
  readonly server: Server
  readonly trustDomain: string
  /** Whether calls without a certificate could show a token. */
  readonly takesTokens: () => Promise<boolean>
  readonly limits: ConnectionLimits
  /** Told of every connection that is cut for what it does, and why. */
  readonly onCut: (connection: Connection, reason: string) => void
}

type AuthContext = ReturnType<ServerInterceptingCall['getAuthContext']>

const SWEEP_INTERVAL_MS = 250

/** Makes the connections of a server. */
export function createConnections(parts: ConnectionParts): Connections {
  const open = new Map<TLSSocket, { connection: Connection; arrivals: Arrivals }>()
  const byContext = new WeakMap<AuthContext, Connection>()
  const waiting: (() => void)[] = []

  const sweeper = setInterval(() => {
    for (const [socket, { connection, arrivals }] of open) {
      const reason = arrivals.sweep()
      if (reason) cut(socket, connection, reason)
    }
  }, SWEEP_INTERVAL_MS)
  sweeper.unref()

  function cut(socket: TLSSocket, connection: Connection, reason: string): void {
    parts.onCut(connection, reason)
    socket.destroy()
  }

  function isCrowded({ guest }: Connection): boolean {
    const own = [...open.values()].filter(
      (each) => each.connection.guest.identity === guest.identity,
    )
    return own.length >= parts.limits.maxConnectionsPerIdentity
  }

  async function accept(socket: TLSSocket): Promise<void> {
    // Without a listener, the error of a client that goes away would end the process.
    socket.on('error', () => {})
    const connection = connectionOf(socket, parts.trustDomain)
    const refusal = connection.identity
      ? !socket.authorized && 'a certificate that does not hold'
      : !(await parts.takesTokens()) && 'no certificate'
    if (refusal) {
      cut(socket, connection, refusal)
      return
    }
    if (socket.destroyed) return
    if (isCrowded(connection)) {
      cut(socket, connection, 'too many connections of one identity')
      return
    }
    const context: AuthContext = {}
    byContext.set(context, connection)
    const { requestTimeoutMs } = parts.limits
    const arrivals = createArrivals(requestTimeoutMs, () => socket.bytesRead)
    open.set(socket, { connection, arrivals })
    const injector = parts.server.createConnectionInjector(
      experimental.createServerCredentialsWithInterceptors(ServerCredentials.createInsecure(), [
        interceptor(context, arrivals),
      ]),
    )
    socket.once('close', () => {
      open.delete(socket)
      injector.destroy()
      if (open.size === 0) for (const resolve of waiting.splice(0)) resolve()
    })
    injector.injectConnection(socket)
  }

  return {
    accept,
    of(call) {
      const connection = byContext.get(call.getAuthContext())
      if (!connection) throw new Error('a call came by no connection of the door')
      return connection
    },
    closed() {
      if (open.size === 0) return Promise.resolve()
      return new Promise((resolve) => waiting.push(resolve))
    },
    destroy() {
      clearInterval(sweeper)
      for (const socket of open.keys()) socket.destroy()
    },
  }
}

function connectionOf(socket: TLSSocket, trustDomain: string): Connection {
  const { remoteAddress } = socket
  const { raw }: { readonly raw?: Buffer } = socket.getPeerCertificate()
  const identity = raw && identify(raw, trustDomain)
  if (identity && 'name' in identity) {
    const { name } = identity
    const guest = { identity: arnOf(name), account: name.account }
    return { identity, guest, remoteAddress }
  }
  const guest = nobodyAt(remoteAddress)
  return { identity, guest, remoteAddress }
}

/**
 * Gives each call the context of its connection, since grpc-js would copy the peer's certificate
 * out of OpenSSL for each call, which costs more than all the rest of it; and watches it arrive.
 */
function interceptor(context: AuthContext, arrivals: Arrivals): ServerInterceptor {
  return (_method, next) => {
    const call = new CallOfConnection(context, next, {
      start: (start) => {
        arrivals.begin(call)
        start({
          onReceiveMessage: (message, proceed) => {
            arrivals.message(message)
            proceed(message)
          },
          onReceiveHalfClose: (proceed) => {
            arrivals.end(call)
            proceed()
          },
          onCancel: () => arrivals.end(call),
        })
      },
    })
    return call
  }
}

class CallOfConnection extends ServerInterceptingCall {
  readonly #context: AuthContext

  constructor(context: AuthContext, ...rest: ConstructorParameters<typeof ServerInterceptingCall>) {
    super(...rest)
    this.#context = context
  }

  override getAuthContext(): AuthContext {
    return this.#context
  }
}

/** The TypeScript client of keyslot's gRPC door. */

import { isIP } from 'node:net'
import { checkServerIdentity, createSecureContext } from 'node:tls'
import { Client as Channel, ChannelCredentials, Metadata, status } from '@grpc/grpc-js'
import { CONTRACT } from '../contract/contract.ts'
import { decodeMessage, encodeMessage } from '../contract/wire.ts'
import type { RpcName, Service } from '../service.ts'
import { KeyslotError } from './error.ts'

/** How to reach keyslot, and as whom. */
export type ClientSettings = {
  /** `host:port`, or `unix:` and a path. */
  readonly endpoint: string
  /** The certificate that the server's is held against, PEM. */
  readonly ca: string | Buffer
  /** How long a call may take unless it says otherwise; 30 s unless given. */
  readonly deadlineMs?: number
} & (CertificateCredentials | TokenCredentials)

/** A client certificate, which names the caller. */
export interface CertificateCredentials {
  /** PEM. */
  readonly certificate: string | Buffer
  /** Its private key, PEM. */
  readonly privateKey: string | Buffer
}

/** A JSON Web Token of an issuer that the caller's account knows. */
export interface TokenCredentials {
  /** Reads the token, for every call: some are renewed in place, such as those of Kubernetes. */
  readonly token: () => string | Promise<string>
  /** The ARN of the role to call as; the default role of the token's issuer unless given. */
  readonly roleArn?: string
}

/** What one call may say of itself. */
export interface CallOptions {
  /** How long it may take, from now. */
  readonly deadlineMs?: number
  /** Cancels the call when aborted. */
  readonly signal?: AbortSignal
}

/** A client; it connects at its first call, and again whenever the connection is lost. */
export interface Client {
  /**
   * Calls an operation.
   *
   * @throws KeyslotError and nothing else.
   */
  call<N extends RpcName>(
    name: N,
    request: Partial<Service[N]['request']>,
    options?: CallOptions,
  ): Promise<Service[N]['response']>
  /** Closes the connection; calls under way are cancelled. */
  close(): void
}

const DEADLINE_MS = 30_000

type UnderWay = Set<{ cancel(): void }>

/**
 * Makes a client.
 *
 * @throws Error for certificates or a key that cannot be read.
 */
export function connect(settings: ClientSettings): Client {
  const { endpoint, ca } = settings
  const name = serverName(endpoint)
  const own = 'token' in settings ? {} : { cert: settings.certificate, key: settings.privateKey }
  const credentials = ChannelCredentials.createFromSecureContext(
    createSecureContext({ ca, ...own, minVersion: 'TLSv1.2' }),
    { checkServerIdentity: (_name, presented) => checkServerIdentity(name.checked, presented) },
  )
  const channel = new Channel(endpoint, credentials, {
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
    'grpc.ssl_target_name_override': name.sent,
  })
  const underWay: UnderWay = new Set()
  let closed = false
  return {
    async call(name, request, options) {
      if (closed) throw cancelled('The client has been closed.')
      const deadlineMs = options?.deadlineMs ?? settings.deadlineMs ?? DEADLINE_MS
      const metadata = 'token' in settings ? await shown(settings) : new Metadata()
      if (closed) throw cancelled('The client has been closed.')
      const { signal } = options ?? {}
      return call(channel, name, request, { metadata, deadlineMs, signal, underWay })
    },
    close() {
      closed = true
      // grpc-js would let those go on that have been sent.
      for (const each of underWay) each.cancel()
      channel.close()
    },
  }
}

/**
 * The name that the server's certificate must have, and the one that TLS sends: RFC 6066 allows
 * no addresses there. A socket in the file system is the server of this machine.
 */
function serverName(endpoint: string): { readonly checked: string; readonly sent: string } {
  if (endpoint.startsWith('unix:')) return { checked: 'localhost', sent: 'localhost' }
  const host = endpoint.replace(/:[0-9]+$/, '').replace(/^\[(.*)\]$/, '$1')
  return { checked: host, sent: isIP(host) ? 'localhost' : host }
}

/** What a call shows beside the certificate of its connection. */
async function shown({ token, roleArn }: TokenCredentials): Promise<Metadata> {
  const metadata = new Metadata()
  try {
    metadata.set('authorization', `Bearer ${(await token()).trim()}`)
    if (roleArn !== undefined) metadata.set('keyslot-role-arn', roleArn)
    return metadata
  } catch (cause) {
    throw new KeyslotError('MissingAuthenticationTokenException', 'The token cannot be read.', {
      grpcStatus: status.UNAUTHENTICATED,
      cause,
    })
  }
}

function call<N extends RpcName>(
  channel: Channel,
  name: N,
  request: Partial<Service[N]['request']>,
  {
    metadata,
    deadlineMs,
    signal,
    underWay,
  }: CallOptions & {
    readonly metadata: Metadata
    readonly deadlineMs: number
    readonly underWay: UnderWay
  },
): Promise<Service[N]['response']> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) throw cancelled('The call was cancelled before it was sent.', signal)
    const under = channel.makeUnaryRequest(
      `/${CONTRACT[name].service}/${name}`,
      (message: Buffer) => message,
      (bytes) => decodeMessage(CONTRACT[name].response, bytes) as Service[N]['response'],
      encoded(name, request),
      metadata,
      { deadline: Date.now() + deadlineMs },
      (error, response) => {
        underWay.delete(under)
        signal?.removeEventListener('abort', cancel)
        if (error) reject(KeyslotError.from(error))
        else if (response) resolve(response)
      },
    )
    underWay.add(under)
    const cancel = () => under.cancel()
    signal?.addEventListener('abort', cancel)
  })
}

/** Encodes here what grpc-js would encode later, since it would answer INTERNAL for a failure. */
function encoded<N extends RpcName>(name: N, request: Partial<Service[N]['request']>): Buffer {
  try {
    return encodeMessage(CONTRACT[name].request, request)
  } catch (cause) {
    throw new KeyslotError('ValidationException', `This is not a request of ${name}.`, {
      grpcStatus: status.INVALID_ARGUMENT,
      cause,
    })
  }
}

function cancelled(message: string, signal?: AbortSignal): KeyslotError {
  const cause: unknown = signal?.reason
  return new KeyslotError('CANCELLED', message, { grpcStatus: status.CANCELLED, cause })
}

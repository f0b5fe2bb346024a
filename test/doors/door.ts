/** A real gRPC door for tests, with real TLS, over a pipeline that the test hands in. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import {
  type ClientHttp2Session,
  connect as connectHttp2,
  type OutgoingHttpHeaders,
} from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type Client, connect } from '../../src/client/client.ts'
import { CONTRACT } from '../../src/contract/contract.ts'
import {
  type Authority,
  ensureAuthority,
  type IssuedCertificate,
  issueClientCertificate,
} from '../../src/development/authority.ts'
import { type GrpcDoor, type GrpcDoorSettings, startGrpcDoor } from '../../src/doors/grpc/server.ts'
import type { Caller } from '../../src/model/caller.ts'
import { arnOf, type PrincipalName } from '../../src/model/identities/principal.ts'
import type { Call, Pipeline } from '../../src/pipeline/call.ts'
import type { RpcName } from '../../src/service.ts'

export const ACCOUNT = '111122223333'
export const ROOT_ARN = `arn:aws:iam::${ACCOUNT}:root`

/** Everybody exists of whom a certificate or a token speaks; a token is the name of a user. */
export const ANYBODY = {
  callerOf: async (name: PrincipalName): Promise<Caller> => {
    const { account, kind } = name
    return { arn: arnOf(name), account, kind }
  },
  bearer: ({ token: user }: { readonly token: string }): Promise<Caller> =>
    ANYBODY.callerOf({ account: ACCOUNT, kind: 'user', user }),
}

/** A call as the pipeline of a test sees it. */
export type SeenCall = Call<RpcName>

/** A door that is being tried. */
export interface TriedDoor {
  readonly directory: string
  readonly authority: Authority
  readonly ca: Buffer
  readonly door: GrpcDoor
  /** What the door has logged. */
  readonly log: string[]
  /** What the door has refused itself. */
  readonly refused: string[]
  /** What the door takes for the time; the machine's time and this. */
  aheadMs: number
  /** Whether the HSM is ready, as the door is told. */
  setReady(ready: boolean): void
  /** A certificate of a user of the account. */
  issue(principal: string, validityMs?: number): IssuedCertificate
  /** A client; the account's root unless another certificate is given. */
  client(certificate?: IssuedCertificate): Client
  [Symbol.asyncDispose](): Promise<void>
}

/** Starts a door whose pipeline is one function. */
export async function tryDoor(
  run: (name: RpcName, call: SeenCall) => Promise<unknown>,
  settings: Partial<GrpcDoorSettings> = {},
  tokens = false,
): Promise<TriedDoor> {
  const directory = mkdtempSync(join(tmpdir(), 'keyslot-door-'))
  const clock = () => Date.now() + tried.aheadMs
  const authority = ensureAuthority(directory, { account: ACCOUNT, clock: Date.now })
  const listeners = new Set<() => void>()
  const clients: Client[] = []
  const log: string[] = []
  const refused: string[] = []
  let ready = true
  const door = await startGrpcDoor(
    {
      listen: { host: '127.0.0.1', port: 0 },
      tls: {
        certificate: authority.server.certificate,
        key: authority.server.privateKey,
        clientCa: authority.ca,
      },
      trustDomain: 'keyslot',
      ...settings,
    },
    {
      identities: { ...ANYBODY, takesTokens: async () => tokens },
      pipeline: { call: (name, call) => run(name as RpcName, call as SeenCall) } as Pipeline,
      log: (_level, message, fields) => log.push(`${message} ${JSON.stringify(fields)}`),
      clock,
      health: {
        ready: () => ready,
        onChange(listener) {
          listeners.add(listener)
          return () => listeners.delete(listener)
        },
      },
      onEnd: (name, _door, outcome) => refused.push(`${name} ${outcome}`),
    },
  )
  const ca = readFileSync(authority.ca)
  const tried: TriedDoor = {
    directory,
    authority,
    ca,
    door,
    log,
    refused,
    aheadMs: 0,
    setReady(now) {
      ready = now
      for (const listener of listeners) listener()
    },
    issue: (principal, validityMs) =>
      issueClientCertificate(directory, {
        spiffeId: `spiffe://keyslot/account/${ACCOUNT}/${principal}`,
        validityMs,
        clock: Date.now,
      }),
    client(certificate = readPair(authority)) {
      const client = connect({ endpoint: door.address, ca, ...certificate })
      clients.push(client)
      return client
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.close()
      await door.stop(0)
      rmSync(directory, { recursive: true })
    },
  }
  return tried
}

/** Looks again and again, with more patience than vitest has: the machine may be busy. */
export function eventually<T>(look: () => T) {
  return expect.poll(look, { timeout: 10_000 })
}

/** Resolves when the work of a call is told that its caller has gone. */
export async function toldGone({ limits }: Pick<Call<RpcName>, 'limits'>): Promise<void> {
  await eventually(() => limits.signal?.aborted).toBe(true)
}

/** The certificate of the account's root. */
export function readPair({ root }: Authority): IssuedCertificate {
  return {
    certificate: readFileSync(root.certificate, 'utf8'),
    privateKey: readFileSync(root.privateKey, 'utf8'),
  }
}

/** What `node:tls` takes to be the account's root. */
export function tlsOf({ ca, authority }: TriedDoor): { ca: string; cert: string; key: string } {
  const { certificate: cert, privateKey: key } = readPair(authority)
  return { ca: ca.toString(), cert, key }
}

/** A connection without grpc-js, for what it would not send; the account's root. */
export function http2Session(tried: TriedDoor): ClientHttp2Session {
  const session = connectHttp2(`https://${tried.door.address}`, tlsOf(tried))
  session.on('error', () => {})
  return session
}

/** The headers of a call. */
export function callHeaders(name: RpcName): OutgoingHttpHeaders {
  return {
    ':method': 'POST',
    ':path': `/${CONTRACT[name].service}/${name}`,
    'content-type': 'application/grpc',
    te: 'trailers',
  }
}

/** A message as gRPC frames it. */
export function framed(message: Buffer, compressed = false): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt8(compressed ? 1 : 0)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

/**
 * Both doors on one port: the first bytes of a connection say which of them it is for. The AWS
 * door listens, and hands on what comes for the other.
 */

import type { Server, Socket } from 'node:net'
import { isTls, readAlpn } from './client-hello.ts'
import { intercept } from './listener.ts'

/** What sharing a port needs. */
export interface OnePortParts {
  /** Whether the AWS door has TLS, too; else all that begins with TLS is for the gRPC door. */
  readonly awsTls: boolean
  /** Takes over a connection to the gRPC door. */
  readonly toGrpc: (socket: Socket) => void
  /** How long the first bytes may take. */
  readonly timeoutMs: number
}

/** As much as is read before it is known for whom it is. */
const LOOKED_AT_BYTES_MAX = 16 * 1024

type Destination = 'grpc' | 'aws' | 'nobody' | 'unknown'

/**
 * Sends connections where they belong.
 *
 * @returns how to close those of which that is not known yet.
 */
export function shareListener(
  server: Server,
  { awsTls, toGrpc, timeoutMs }: OnePortParts,
): () => void {
  const undecided = new Set<Socket>()

  function look(socket: Socket, toAws: () => void): void {
    const chunks: Buffer[] = []
    const timer = setTimeout(() => socket.destroy(), timeoutMs)
    const decided = (): void => {
      clearTimeout(timer)
      undecided.delete(socket)
      socket.off('data', onData)
      socket.off('close', decided)
    }
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk)
      const bytes = Buffer.concat(chunks)
      const destination = destinationOf(bytes, awsTls)
      if (destination === 'unknown' && bytes.length <= LOOKED_AT_BYTES_MAX) return
      decided()
      if (destination === 'nobody' || destination === 'unknown') {
        socket.destroy()
        return
      }
      socket.pause()
      socket.unshift(bytes)
      if (destination === 'grpc') toGrpc(socket)
      else toAws()
      // TLS has taken what was read by then; HTTP waits for it to flow.
      process.nextTick(() => socket.resume())
    }
    undecided.add(socket)
    // Without a listener, the error of a client that goes away would end the process.
    socket.on('error', () => {})
    socket.once('close', decided)
    socket.on('data', onData)
  }

  intercept(server, look)
  return () => {
    for (const socket of undecided) socket.destroy()
  }
}

/**
 * Clients of gRPC offer HTTP/2 and nothing else; some of AWS's offer it beside HTTP/1.1, which they
 * are answered in.
 */
function destinationOf(bytes: Buffer, awsTls: boolean): Destination {
  if (!isTls(bytes)) return 'aws'
  if (!awsTls) return 'grpc'
  const offered = readAlpn(bytes)
  if (offered === 'incomplete') return 'unknown'
  if (offered === 'malformed') return 'nobody'
  const isHttp2Alone = offered.includes('h2') && !offered.some((name) => name.startsWith('http/'))
  return isHttp2Alone ? 'grpc' : 'aws'
}

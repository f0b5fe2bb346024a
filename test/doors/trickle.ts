/** A client that sends requests in frames of one byte; below any library that would not do so. */

import { setTimeout as sleep } from 'node:timers/promises'
import { type ConnectionOptions, connect } from 'node:tls'

/** Where to trickle, and as what. */
export interface Trickle {
  readonly host: string
  readonly port: number
  readonly tls: ConnectionOptions
  readonly headers: Readonly<Record<string, unknown>>
  /** How each request begins. */
  readonly beginning: Buffer
  readonly streams: number
  /** When to end it, by `performance.now()`; when the server does, unless given. */
  readonly untilMs?: number
}

const [DATA, HEADERS, SETTINGS, END_HEADERS] = [0, 1, 4, 4]
const ROUNDS_AT_ONCE = 20
/** What is not read yet is not added to. */
const WAITING_BYTES_MAX = 4 * 1024 * 1024

/** Trickles on one connection until it is cut; answers how many bytes were sent. */
export async function trickle(task: Trickle): Promise<number> {
  const { host, port, tls, headers, beginning, untilMs = Number.POSITIVE_INFINITY } = task
  const socket = connect({ host, port, ...tls, ALPNProtocols: ['h2'] })
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.on('error', () => {})
  socket.resume()
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  socket.write(http2Frame(SETTINGS, 0, 0, Buffer.alloc(0)))
  const block = literalHeaders({ ...headers, ':scheme': 'https' })
  const streams = Array.from({ length: task.streams }, (_, index) => 2 * index + 1)
  for (const stream of streams) {
    socket.write(http2Frame(HEADERS, END_HEADERS, stream, block))
    socket.write(http2Frame(DATA, 0, stream, beginning))
  }
  const round = streams.map((stream) => http2Frame(DATA, 0, stream, Buffer.from('x')))
  const many = Buffer.concat(Array(ROUNDS_AT_ONCE).fill(Buffer.concat(round)))
  let sent = 0
  while (!socket.destroyed && performance.now() < untilMs) {
    if (socket.writableLength < WAITING_BYTES_MAX) {
      socket.write(many)
      sent += many.length
    }
    // Within the window of the connection, which the server opens as it reads.
    await sleep(1)
  }
  socket.destroy()
  await closed
  return sent
}

/** A frame of HTTP/2; RFC 9113, 4.1. */
function http2Frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** Headers as literals without indexing; RFC 7541, 6.2.2. */
function literalHeaders(headers: Readonly<Record<string, unknown>>): Buffer {
  const text = (value: unknown) => Buffer.from(`${String.fromCharCode(`${value}`.length)}${value}`)
  const pairs = Object.entries(headers).flatMap((pair) => [Buffer.alloc(1), ...pair.map(text)])
  return Buffer.concat(pairs)
}

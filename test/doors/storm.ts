/** A client that opens streams and resets them at once; runs on a thread of its own. */

import {
  connect,
  constants,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
} from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'

/** What the storm is to do. */
export interface Storm {
  readonly url: string
  readonly tls: SecureClientSessionOptions
  readonly headers: OutgoingHttpHeaders
  readonly message: Uint8Array
  readonly durationMs: number
}

/** What it did. */
export interface StormReport {
  readonly streams: number
  readonly connections: number
}

const STREAMS_AT_ONCE = 100

async function storm({ url, tls, headers, message, durationMs }: Storm): Promise<StormReport> {
  let [streams, connections] = [0, 0]
  const untilMs = performance.now() + durationMs
  while (performance.now() < untilMs) {
    const session = connect(url, tls)
    session.on('error', () => {})
    connections += 1
    while (performance.now() < untilMs && !session.closed && !session.destroyed) {
      for (let each = 0; each < STREAMS_AT_ONCE; each += 1) {
        const stream = session.request(headers)
        stream.on('error', () => {})
        stream.end(message, () => stream.close(constants.NGHTTP2_CANCEL))
        streams += 1
      }
      await sleep(0)
    }
    session.destroy()
    await sleep(5)
  }
  return { streams, connections }
}

parentPort?.postMessage(await storm(workerData as Storm))

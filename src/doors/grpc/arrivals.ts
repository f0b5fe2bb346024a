/**
 * What arrives on one connection. A request that trickles in holds memory many times its size, so
 * it may take only so long; and bytes that come to no request cost more than they may.
 */

import { type ServerInterceptingCall, status } from '@grpc/grpc-js'

/** What arrives on one connection. */
export interface Arrivals {
  /** A request has begun. */
  begin(call: ServerInterceptingCall): void
  /** A message of a request is there. */
  message(message: unknown): void
  /** A request is complete, or has been given up. */
  end(call: ServerInterceptingCall): void
  /**
   * Answers the requests that have taken too long.
   *
   * @returns why the connection is to be cut, if it is.
   */
  sweep(): string | undefined
}

/** So many requests of a connection may lapse: tools keep a reflection stream open for a while. */
const LAPSED_MAX = 8
/** What the headers of a request, or the frames of a message, may take. */
const OVERHEAD_BYTES_MAX = 8 * 1024
/** Messages under way, and frames that belong to no request: PING, SETTINGS, WINDOW_UPDATE. */
const UNEXPLAINED_BYTES_MAX = 1024 * 1024

/**
 * Makes the account of a connection.
 *
 * @param bytesRead how many bytes of HTTP/2 the connection has brought so far.
 */
export function createArrivals(timeoutMs: number, bytesRead: () => number): Arrivals {
  // In the order of their beginning.
  const beganMs = new Map<ServerInterceptingCall, number>()
  let lapsed = 0
  let seenBytes = 0
  let explainedBytes = 0
  let unexplainedBytes = 0

  function account(): void {
    const readBytes = bytesRead()
    const rest = unexplainedBytes + readBytes - seenBytes - explainedBytes
    // What was allowed for and not used is no credit for later.
    unexplainedBytes = Math.max(0, rest)
    seenBytes = readBytes
    explainedBytes = 0
  }

  function lapse(): void {
    const latestMs = performance.now() - timeoutMs
    for (const [call, startMs] of beganMs) {
      if (startMs > latestMs) break
      beganMs.delete(call)
      lapsed += 1
      const details = `The request was not complete within ${timeoutMs} ms.`
      call.sendStatus({ code: status.DEADLINE_EXCEEDED, details })
    }
  }

  return {
    begin(call) {
      beganMs.set(call, performance.now())
      explainedBytes += OVERHEAD_BYTES_MAX
    },
    message(message) {
      explainedBytes += OVERHEAD_BYTES_MAX + (Buffer.isBuffer(message) ? message.length : 0)
    },
    end(call) {
      beganMs.delete(call)
    },
    sweep() {
      account()
      lapse()
      if (unexplainedBytes > UNEXPLAINED_BYTES_MAX) return 'bytes that come to no request'
      return lapsed > LAPSED_MAX ? 'requests that never get complete' : undefined
    },
  }
}

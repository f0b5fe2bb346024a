/**
 * The requests of one connection that are still arriving. A request that trickles in holds memory
 * many times its size, so it may take only so long; and who lets many of them lapse is cut off.
 */

import { type ServerInterceptingCall, status } from '@grpc/grpc-js'

/** So many requests of a connection may lapse: tools keep a reflection stream open for a while. */
const LAPSED_MAX = 8

/** The requests of one connection that are still arriving. */
export interface IncompleteRequests {
  begin(call: ServerInterceptingCall): void
  end(call: ServerInterceptingCall): void
  /**
   * Answers those that have taken too long.
   *
   * @returns false when so many have lapsed that the connection is to be cut.
   */
  sweep(): boolean
}

/** Makes the account of a connection. */
export function createIncompleteRequests(timeoutMs: number): IncompleteRequests {
  // In the order of their beginning.
  const beganMs = new Map<ServerInterceptingCall, number>()
  let lapsed = 0
  return {
    begin(call) {
      beganMs.set(call, performance.now())
    },
    end(call) {
      beganMs.delete(call)
    },
    sweep() {
      const latestMs = performance.now() - timeoutMs
      for (const [call, startMs] of beganMs) {
        if (startMs > latestMs) break
        beganMs.delete(call)
        lapsed += 1
        const details = `The request was not complete within ${timeoutMs} ms.`
        call.sendStatus({ code: status.DEADLINE_EXCEEDED, details })
      }
      return lapsed <= LAPSED_MAX
    },
  }
}

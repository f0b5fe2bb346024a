/**
 * Bounds how many calls are at work through all doors, in all and for each identity. HTTP/2's own
 * limit on streams does not: a stream that its client resets makes room for the next while its
 * work goes on.
 */

import { fail } from '../model/failures.ts'
import { clientOf } from './connection-limits.ts'

/** The limits. */
export interface AdmissionLimits {
  /** Calls at work in all. */
  readonly maxInFlight: number
  /** Calls at work for one identity. */
  readonly maxInFlightPerIdentity: number
}

/** Lets calls in. */
export interface Admission {
  /**
   * Lets a call in.
   *
   * @returns what the call must do once its work has ended, however it ended.
   * @throws KmsError ThrottlingException when too many are at work.
   */
  enter(identity: string): () => void
  /** Resolves when no call is at work. */
  idle(): Promise<void>
}

/** Makes an admission. */
export function createAdmission({
  maxInFlight,
  maxInFlightPerIdentity,
}: AdmissionLimits): Admission {
  const byIdentity = new Map<string, number>()
  const waiting: (() => void)[] = []
  let inFlight = 0

  function leave(identity: string): void {
    inFlight -= 1
    const rest = (byIdentity.get(identity) ?? 0) - 1
    if (rest > 0) byIdentity.set(identity, rest)
    else byIdentity.delete(identity)
    if (inFlight === 0) for (const resolve of waiting.splice(0)) resolve()
  }

  return {
    enter(identity) {
      const own = byIdentity.get(identity) ?? 0
      if (own >= maxInFlightPerIdentity || inFlight >= maxInFlight) {
        fail('ThrottlingException', 'Rate exceeded: too many calls are under way.')
      }
      inFlight += 1
      byIdentity.set(identity, own + 1)
      return () => leave(identity)
    },
    idle() {
      if (inFlight === 0) return Promise.resolve()
      return new Promise((resolve) => waiting.push(resolve))
    },
  }
}

/** What those of an address count as who have not proved who they are. */
export function nobodyAt(address: string | undefined): string {
  return `nobody at ${clientOf(address)}`
}

/**
 * What those of an address count as whose proof is being looked at: whoever floods a door as nobody
 * does not keep them out.
 */
export function unverifiedAt(address: string | undefined): string {
  return `unverified at ${clientOf(address)}`
}

/**
 * Remembers the signatures of calls that change something for as long as they could be sent again,
 * and refuses what is sent again.
 *
 * A signature that comes twice is not always a replay. Most clients sign nothing that would tell
 * one call from the next but the second in which they sign it, so two equal calls within a second,
 * and a retry, have the same signature. Such clients sign anew, with the time then, for whatever
 * they send later; so an equal signature is taken for another call only within moments of the first,
 * and refused from then on. Clients that sign the id and the attempt of each call have a signature
 * for each; theirs are never taken twice.
 */

import { fail } from '../../model/failures.ts'
import { type Share, Shares } from '../shares.ts'
import type { Claim } from './signature/claim.ts'

/** The signatures that have been seen. */
export interface Replays {
  /**
   * Takes note of a signature that has been verified, before the call of an account is made.
   *
   * @throws KmsError InvalidSignatureException for a replay; ThrottlingException when more of the
   *   account are to be remembered than it has room for.
   */
  refuse(claim: Claim, account: string): void
}

/** What replays are found by. */
export interface ReplaySettings {
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  /** How far the time of a request may be from ours, either way. */
  readonly clockSkewMs: number
  /**
   * How many signatures are remembered, of about 150 bytes each, divided among accounts as by
   * `shares.ts`; 131,072 unless given.
   */
  readonly rememberedMax?: number
}

/** A signature that has been seen. */
interface Seen {
  readonly firstMs: number
  readonly share: Share
}

/** The second in which a client signs, and what a request may take on its way. */
const SAME_MOMENT_MS = 2_000
/** Of each account, whatever others do: more of them than can be made still do not lock one out. */
const GUARANTEED = 256
const HEADERS_OF_ONE_ATTEMPT = ['amz-sdk-invocation-id', 'amz-sdk-request'] as const

/** Makes an empty memory. */
export function createReplays({
  clock,
  clockSkewMs,
  rememberedMax = 131_072,
}: ReplaySettings): Replays {
  // In the order of their first coming.
  const seen = new Map<string, Seen>()
  const shares = new Shares(rememberedMax, GUARANTEED)
  // From the earliest moment at which a request is taken to the last one.
  const windowMs = 2 * clockSkewMs

  function forget(nowMs: number): void {
    for (const [signature, { firstMs, share }] of seen) {
      if (nowMs - firstMs <= windowMs) return
      seen.delete(signature)
      share.give()
    }
  }

  return {
    refuse({ signature, signedHeaders, timestamp }, account) {
      const nowMs = clock()
      const name = signature.toString('latin1')
      const earlier = seen.get(name)
      if (earlier) {
        const isOneAttempt = HEADERS_OF_ONE_ATTEMPT.every((each) => signedHeaders.includes(each))
        if (!isOneAttempt && Math.abs(nowMs - earlier.firstMs) <= SAME_MOMENT_MS) return
        fail(
          'InvalidSignatureException',
          `Signature already used: a request of ${timestamp} with this signature has been ` +
            'received before, and what changes something is not taken twice. Sign it again.',
        )
      }
      forget(nowMs)
      const share = shares.of(account)
      if (!share.take()) {
        fail('ThrottlingException', 'Rate exceeded: too many changes in too short a time.')
      }
      seen.set(name, { firstMs: nowMs, share })
    },
  }
}

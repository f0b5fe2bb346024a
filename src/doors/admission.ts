/**
 * Bounds how many calls are at work through all doors, in all, for each identity and for each
 * account. HTTP/2's own limit on streams does not: a stream that its client resets makes room for
 * the next while its work goes on.
 */

import type { Caller } from '../model/caller.ts'
import { fail } from '../model/failures.ts'
import { clientOf } from './connection-limits.ts'
import { type Share, Shares } from './shares.ts'

/** The limits. */
export interface AdmissionLimits {
  /** Calls at work in all; how they are divided among accounts is said in `shares.ts`. */
  readonly maxInFlight: number
  /** Calls at work for one identity. */
  readonly maxInFlightPerIdentity: number
}

/** Who a call is counted for. */
export interface Guest {
  /** A root, a user, a service, a session of a role, or the address of nobody known. */
  readonly identity: string
  /** Its account; all who are not known yet are as one account. */
  readonly account: string
}

/** A call that has been let in. */
export interface Visit {
  /**
   * Counts the call for somebody else from now on: it is known by now who calls.
   *
   * @param isSlow as for `enter`.
   * @throws KmsError ThrottlingException when too many of theirs are at work; it then counts for
   *   nobody, until it leaves.
   */
  become(guest: Guest, isSlow?: boolean): void
  /** To be told once the work of the call has ended, however it ended. */
  leave(): void
}

/** Lets calls in. */
export interface Admission {
  /**
   * Lets a call in.
   *
   * @param isSlow whether it may take seconds, so that an account may have few of them at work.
   * @throws KmsError ThrottlingException when too many are at work.
   */
  enter(guest: Guest, isSlow?: boolean): Visit
  /** Resolves when no call is at work. */
  idle(): Promise<void>
}

/** Of the calls that may be at work in all, the part that may be slow ones of one account. */
const SLOW_PART = 1 / 8

/** Makes an admission. */
export function createAdmission(limits: AdmissionLimits): Admission {
  return new CountedAdmission(limits)
}

class CountedAdmission implements Admission {
  readonly #limits: AdmissionLimits
  readonly #byIdentity = new Map<string, number>()
  readonly #slowByAccount = new Map<string, number>()
  readonly #shares: Shares
  readonly #waiting: (() => void)[] = []
  #inFlight = 0

  constructor(limits: AdmissionLimits) {
    this.#limits = limits
    this.#shares = new Shares(limits.maxInFlight)
  }

  enter(guest: Guest, isSlow = false): Visit {
    const visit = new CountedVisit(this, guest, isSlow)
    this.#inFlight += 1
    return visit
  }

  idle(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Counts a call of somebody's. */
  take({ identity, account }: Guest, isSlow: boolean): Share {
    const { maxInFlight, maxInFlightPerIdentity } = this.#limits
    const slow = isSlow ? (this.#slowByAccount.get(account) ?? 0) : 0
    if (slow >= maxInFlight * SLOW_PART) {
      fail('ThrottlingException', 'Rate exceeded: too many calls that take long are under way.')
    }
    const own = this.#byIdentity.get(identity) ?? 0
    const share = this.#shares.of(account)
    if (own >= maxInFlightPerIdentity || !share.take()) {
      fail('ThrottlingException', 'Rate exceeded: too many calls are under way.')
    }
    this.#byIdentity.set(identity, own + 1)
    if (isSlow) this.#slowByAccount.set(account, slow + 1)
    return share
  }

  /** Counts it no more. */
  give({ identity, account }: Guest, isSlow: boolean): void {
    countDown(this.#byIdentity, identity)
    if (isSlow) countDown(this.#slowByAccount, account)
  }

  /** A call has ended. */
  left(): void {
    this.#inFlight -= 1
    if (this.#inFlight === 0) for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

class CountedVisit implements Visit {
  readonly #admission: CountedAdmission
  #guest: Guest
  #isSlow: boolean
  /** Absent while it counts for nobody. */
  #share: Share | undefined

  constructor(admission: CountedAdmission, guest: Guest, isSlow: boolean) {
    this.#admission = admission
    this.#guest = guest
    this.#isSlow = isSlow
    this.#share = admission.take(guest, isSlow)
  }

  become(guest: Guest, isSlow = false): void {
    this.#give()
    this.#guest = guest
    this.#isSlow = isSlow
    this.#share = this.#admission.take(guest, isSlow)
  }

  leave(): void {
    this.#give()
    this.#admission.left()
  }

  #give(): void {
    if (!this.#share) return
    this.#share.give()
    this.#share = undefined
    this.#admission.give(this.#guest, this.#isSlow)
  }
}

function countDown(counts: Map<string, number>, name: string): void {
  const rest = (counts.get(name) ?? 0) - 1
  if (rest > 0) counts.set(name, rest)
  else counts.delete(name)
}

/**
 * Who a caller counts as. Whoever begins a session chooses its name, and so how many callers a role
 * is; its account is one.
 */
export function guestOf({ arn, account }: Caller): Guest {
  return { identity: arn, account }
}

/** Who those of an address count as who have not proved who they are. */
export function nobodyAt(address: string | undefined): Guest {
  return { identity: `nobody at ${clientOf(address)}`, account: 'nobody' }
}

/**
 * Who those of an address count as whose proof is being looked at: whoever floods a door as nobody
 * does not keep them out.
 */
export function unverifiedAt(address: string | undefined): Guest {
  return { identity: `unverified at ${clientOf(address)}`, account: 'unverified' }
}

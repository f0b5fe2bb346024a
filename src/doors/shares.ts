/**
 * Divides a fixed number of places among accounts, so that none of them takes all from the others.
 * An account may have three times as many as are still free: three quarters of all while it is
 * alone, and of n that want as many as they can have, each 3 in 3n + 1. Some are always left to
 * whoever comes next, and nothing has to be set for each account.
 */

/** How many an account may have for each that is free. */
const TAKEN_FOR_EACH_FREE = 3

/** A fixed number of places, and who has them. */
export class Shares {
  readonly #guaranteed: number
  readonly #byAccount = new Map<string, Share>()
  #free: number

  /**
   * @param places how many there are.
   * @param guaranteed how many every account may have even when none are free; none unless given.
   */
  constructor(places: number, guaranteed = 0) {
    this.#free = places
    this.#guaranteed = guaranteed
  }

  /** What an account has; kept from then on, as accounts are. */
  of(account: string): Share {
    const known = this.#byAccount.get(account)
    if (known) return known
    const share = new Share(this)
    this.#byAccount.set(account, share)
    return share
  }

  /** Takes a place for whoever has so many already; `false` if that may have no more. */
  take(own: number): boolean {
    if (own >= this.#guaranteed && own >= TAKEN_FOR_EACH_FREE * this.#free) return false
    this.#free -= 1
    return true
  }

  /** Gives back a place that was taken. */
  give(): void {
    this.#free += 1
  }
}

/** The places of an account. */
export class Share {
  readonly #shares: Shares
  #own = 0

  constructor(shares: Shares) {
    this.#shares = shares
  }

  /** Takes a place; `false`, and nothing is taken, if the account may have no more. */
  take(): boolean {
    if (!this.#shares.take(this.#own)) return false
    this.#own += 1
    return true
  }

  /** Gives back a place that was taken. */
  give(): void {
    this.#own -= 1
    this.#shares.give()
  }
}

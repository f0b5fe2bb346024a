/**
 * What the attacks on a token have come to: a row for each attack, over all the keys that were
 * attacked.
 */

/** What an attack that succeeds has gained. */
export type Gain = 'key out' | 'attribute loosened' | 'usage added'

/** What came of one try. */
export type Outcome =
  /** The token's answer, such as `CKR_KEY_UNEXTRACTABLE`. */
  | { readonly refused: string }
  /** The key did what it is for by a mechanism that the token cannot be told to refuse. */
  | { readonly unbound: string }
  | { readonly gain: Gain; readonly how: string }

/** A success of an attack. */
export interface Success {
  readonly attack: string
  /** The key, such as `RSA_2048 for SIGN_VERIFY`. */
  readonly key: string
  readonly gain: Gain
  /** The call that did it. */
  readonly how: string
}

/** An attack on a key. */
export interface Attacked {
  readonly key: string
  readonly attack: string
}

/** What one attack came to. */
export interface AttackRow {
  readonly attack: string
  readonly tries: number
  /** How often the token refused with which answer. */
  readonly refused: Readonly<Record<string, number>>
  /**
   * How often a key did what it is for by another mechanism than keyslot's, where the token does
   * not know CKA_ALLOWED_MECHANISMS.
   */
  readonly unbound: number
}

/** What came of all attacks. */
export interface AttackReport {
  /** The keys that were attacked: made for it, and destroyed since. */
  readonly keys: readonly string[]
  /** Keys that the token does not make, and why. */
  readonly notMade: readonly { readonly key: string; readonly why: string }[]
  readonly rows: readonly AttackRow[]
  readonly successes: readonly Success[]
}

/** What is said instead of an answer when the module has ended its process. */
export const CRASH = 'crash of the module'

/** Adds outcomes up. */
export class Tally {
  readonly #rows = new Map<
    string,
    { tries: number; refused: Map<string, number>; unbound: number }
  >()
  readonly #successes: Success[] = []

  /** Counts the tries of an attack on a key. */
  add(attack: string, key: string, outcomes: Iterable<Outcome>): void {
    const row = this.#rows.get(attack) ?? { tries: 0, refused: new Map(), unbound: 0 }
    this.#rows.set(attack, row)
    for (const outcome of outcomes) {
      row.tries += 1
      if ('gain' in outcome) this.#successes.push({ attack, key, ...outcome })
      else if ('unbound' in outcome) row.unbound += 1
      else row.refused.set(outcome.refused, (row.refused.get(outcome.refused) ?? 0) + 1)
    }
  }

  /** All that has been counted. */
  get sums(): Pick<AttackReport, 'rows' | 'successes'> {
    const rows = [...this.#rows].map(([attack, { tries, refused, unbound }]) => ({
      attack,
      tries,
      refused: Object.fromEntries([...refused].toSorted(([, one], [, other]) => other - one)),
      unbound,
    }))
    return { rows, successes: [...this.#successes] }
  }
}

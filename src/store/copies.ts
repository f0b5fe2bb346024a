/** Copies of rows in memory: bounded, immutable, and never older than the last change. */

import type { Grant } from '../model/grant.ts'
import type { Alias, Key } from '../model/key.ts'
import { type IdentityCopies, identityCopies } from './identities/copies.ts'

/**
 * How many keys are held at least before one is let go: all that an account may have in a Region,
 * so that the cost of a call does not grow with their number. About 1 KB each.
 */
const KEYS_HELD = 100_000
/** How many aliases are held at least before one is let go. */
const ALIASES_HELD = 100_000

/**
 * How many lists of grants are held at least before one is let go: one for each key and caller in
 * use, most of them empty.
 */
const GRANT_LISTS_HELD = 100_000

/** The copies that answer hot reads. */
export interface HotCopies {
  readonly keys: Copies<Key>
  readonly aliases: Copies<Alias>
  readonly grants: Copies<readonly Grant[]>
  readonly identities: IdentityCopies
  /** Drops everything if another process has changed the database; before every hot read. */
  refresh(): void
}

/**
 * The hot copies.
 *
 * @param changed whether another connection has committed since it was last asked.
 */
export function hotCopies(changed: () => boolean): HotCopies {
  const keys = new Copies<Key>(KEYS_HELD)
  const aliases = new Copies<Alias>(ALIASES_HELD)
  const grants = new Copies<readonly Grant[]>(GRANT_LISTS_HELD)
  const identities = identityCopies()
  return {
    keys,
    aliases,
    grants,
    identities,
    refresh() {
      if (!changed()) return
      keys.clear()
      aliases.clear()
      grants.clear()
      identities.clear()
    },
  }
}

/**
 * A bounded cache in two generations: what is used again survives, and a hit costs one look-up.
 *
 * A value read from the database may be out of date by the time it arrives, because a change was
 * committed in between; so the reader remembers the `epoch` before it asks, and `put` takes the
 * value only while nothing has been dropped since.
 */
export class Copies<Value> {
  readonly #held: number
  #young = new Map<string, Value>()
  #old = new Map<string, Value>()
  #epoch = 0

  /** @param held how many values are held at least before one is let go; at most twice as many. */
  constructor(held: number) {
    this.#held = held
  }

  /** Changes whenever anything is dropped. */
  get epoch(): number {
    return this.#epoch
  }

  /** The copy, if there is one. */
  find(name: string): Value | undefined {
    const young = this.#young.get(name)
    if (young !== undefined) return young
    const old = this.#old.get(name)
    if (old !== undefined) this.#add(name, old)
    return old
  }

  /** Keeps a copy of what was read since `epoch`, unless something has been dropped since. */
  put(name: string, value: Value, epoch: number): void {
    if (epoch === this.#epoch) this.#add(name, value)
  }

  /** Drops one copy. */
  drop(name: string): void {
    this.#epoch++
    this.#young.delete(name)
    this.#old.delete(name)
  }

  /** Drops all copies. */
  clear(): void {
    this.#epoch++
    this.#young.clear()
    this.#old.clear()
  }

  #add(name: string, value: Value): void {
    this.#young.set(name, value)
    if (this.#young.size < this.#held) return
    this.#old = this.#young
    this.#young = new Map()
  }
}

/** Copies of rows in memory: bounded, immutable, and never older than the last change. */

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

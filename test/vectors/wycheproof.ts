/**
 * Project Wycheproof's vectors, which lie beside the repository and are optional.
 * https://github.com/C2SP/wycheproof
 */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const FOLDER = join(import.meta.dirname, '../../../shared/vectors/wycheproof')

/** Why there are none; absent if there are. */
export const missing = existsSync(FOLDER)
  ? undefined
  : 'there are no vectors of Wycheproof beside the repository'

/** Whether all vectors run, or a fixed sample of them. */
export const isFull = process.env.KEYSLOT_VECTORS === 'full'

/** A group of vectors that share a key or its size. */
export interface Group<Test> {
  readonly tests: readonly Test[]
  readonly [name: string]: unknown
}

/** What every vector has. */
export interface Vector {
  readonly tcId: number
  readonly comment: string
  readonly result: 'valid' | 'invalid' | 'acceptable'
}

/** The groups of a file; none if it is not there. */
export function groupsOf<Test extends Vector>(file: string): readonly Group<Test>[] {
  const path = join(FOLDER, file)
  if (!existsSync(path)) return []
  return JSON.parse(readFileSync(path, 'utf8')).testGroups
}

/** Every `step`th vector of a usual run, all of a full one. */
export function sampled<Test>(tests: readonly Test[], step: number): readonly Test[] {
  return isFull ? tests : tests.filter((_, at) => at % step === 0)
}

/** Counts what happens to vectors, and prints it. */
export class Tally {
  readonly #title: string
  readonly #counts = new Map<string, number>()

  constructor(title: string) {
    this.#title = title
  }

  count(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1)
  }

  of(what: string): number {
    return this.#counts.get(what) ?? 0
  }

  print(): void {
    const counts = [...this.#counts].map(([what, count]) => `${count} ${what}`)
    console.log(`Wycheproof ${this.#title}: ${counts.join(', ')}`)
  }
}

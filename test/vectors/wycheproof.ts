/**
 * Project Wycheproof's vectors, which lie beside the repository and are optional, and what becomes
 * of them: each is accepted, refused, does not fit or is not in the sample, and a reason stands by
 * whatever is not as Wycheproof has it.
 * https://github.com/C2SP/wycheproof
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, type TaskMeta } from 'vitest'

const FOLDER = join(import.meta.dirname, '../../../shared/vectors/wycheproof')

/** Why there are none; absent if there are. */
export const missing = existsSync(FOLDER)
  ? undefined
  : 'there are no vectors of Wycheproof beside the repository'

if (missing !== undefined) console.log(`SKIPPED: ${missing}`)

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

/** The names of the files of vectors there are. */
export function filesThere(): readonly string[] {
  if (missing !== undefined) return []
  return readdirSync(FOLDER).filter((name) => name.endsWith('.json'))
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

/** How often, by why. */
export type Reasons = Readonly<Record<string, number>>

/** What became of the vectors of a file. */
export interface Row {
  readonly file: string
  /** What they went through. */
  readonly through: string
  /** How many there are in the file. */
  readonly vectors: number
  readonly validAccepted: number
  readonly invalidAccepted: number
  readonly invalidRefused: number
  /** What implementations are free to take or not, and how it was taken. */
  readonly acceptableAccepted: number
  readonly acceptableRefused: number
  readonly validRefused: Reasons
  readonly unfit: Reasons
  readonly notInSample: number
}

declare module 'vitest' {
  interface TaskMeta {
    /** What a test that runs vectors hands to `report.ts`. */
    vectors?: readonly Row[]
  }
}

/** Counts what becomes of the vectors of a file; each is counted once. */
export class Tally {
  /** Which are not as they have to be: invalid and accepted, or valid and refused for no reason. */
  readonly wrong: string[] = []
  readonly #file: string
  readonly #through: string
  readonly #counts = new Map<string, number>()
  readonly #validRefused = new Map<string, number>()
  readonly #unfit = new Map<string, number>()

  constructor(file: string, through: string) {
    this.#file = file
    this.#through = through
  }

  accepted(vector: Vector): void {
    if (vector.result === 'invalid') this.wrong.push(this.#name(vector, 'accepted'))
    add(this.#counts, `${vector.result} accepted`)
  }

  /** @param why needed of a valid one. */
  refused(vector: Vector, why?: string): void {
    if (vector.result !== 'valid') {
      add(this.#counts, `${vector.result} refused`)
      return
    }
    if (why === undefined) this.wrong.push(this.#name(vector, 'refused'))
    add(this.#validRefused, why ?? 'for no reason')
  }

  /** Nothing that the product is asked for. */
  unfit(_: Vector, why: string): void {
    add(this.#unfit, why)
  }

  notInSample(_: Vector): void {
    add(this.#counts, 'not in the sample')
  }

  row(): Row {
    const of = (what: string) => this.#counts.get(what) ?? 0
    const groups = groupsOf(this.#file)
    return {
      file: this.#file,
      through: this.#through,
      vectors: groups.reduce((sum, { tests }) => sum + tests.length, 0),
      validAccepted: of('valid accepted'),
      invalidAccepted: of('invalid accepted'),
      invalidRefused: of('invalid refused'),
      acceptableAccepted: of('acceptable accepted'),
      acceptableRefused: of('acceptable refused'),
      validRefused: Object.fromEntries(this.#validRefused),
      unfit: Object.fromEntries(this.#unfit),
      notInSample: of('not in the sample'),
    }
  }

  #name({ tcId, result, comment }: Vector, what: string): string {
    return `${this.#file}: ${result} vector ${tcId} (${comment}) was ${what}`
  }
}

function add(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1)
}

/** How many vectors a row has run. */
export function runOf(row: Row): number {
  const invalid = row.invalidAccepted + row.invalidRefused
  const acceptable = row.acceptableAccepted + row.acceptableRefused
  return row.validAccepted + sumOf(row.validRefused) + invalid + acceptable
}

/** How often, for whatever reason. */
export function sumOf(reasons: Reasons): number {
  return Object.values(reasons).reduce((sum, count) => sum + count, 0)
}

/**
 * Hands rows to `report.ts` and prints their sum. It expects each vector in them once, and none
 * that is invalid and was accepted, or valid and was refused for no reason.
 */
export function report(task: { meta: TaskMeta }, title: string, tallies: readonly Tally[]): void {
  const rows = tallies.map((tally) => tally.row())
  task.meta.vectors = [...(task.meta.vectors ?? []), ...rows]
  const total = (of: (row: Row) => number) => rows.reduce((sum, row) => sum + of(row), 0)
  const counts = [
    `${total(runOf)} of ${total(({ vectors }) => vectors)} vectors run`,
    `${total(({ validAccepted }) => validAccepted)} valid accepted`,
    `${total(({ invalidRefused }) => invalidRefused)} invalid refused`,
    `${total(({ invalidAccepted }) => invalidAccepted)} invalid accepted`,
    `${total(({ validRefused }) => sumOf(validRefused))} valid refused for a reason`,
    `${total(({ unfit }) => sumOf(unfit))} do not fit`,
  ]
  console.log(`Wycheproof ${title}: ${counts.join(', ')}`)
  expect(tallies.flatMap(({ wrong }) => wrong)).toEqual([])
  for (const row of rows) {
    expect(runOf(row) + sumOf(row.unfit) + row.notInSample, row.file).toBe(row.vectors)
    if (isFull) expect(row.notInSample, row.file).toBe(0)
  }
}

/** What was measured, summed up as medians and ratios, and laid out as a table. */

import type { MeasuredCall } from './calls.ts'
import type { RoundResult } from './generator.ts'
import type { RawCosts } from './raw-token.ts'

/** One round on one process of a side. */
export interface Sample {
  readonly call: string
  readonly side: string
  /** Which process of its side, and which round: samples of the same turn were taken together. */
  readonly turn: string
  readonly load: 'full' | 'half'
  readonly result: RoundResult
}

/** All that a run has measured. */
export interface Measurements {
  readonly samples: readonly Sample[]
  readonly raw: readonly RawCosts[]
  /** Milliseconds from the start of the process until it served, by side. */
  readonly startMs: ReadonlyMap<string, readonly number[]>
}

/** A line of the table. A ratio is a median of ratios of rounds that were run one by the other. */
export interface Row {
  readonly call: string
  readonly side: string
  readonly requestsPerSecond?: number
  readonly ofEcho?: number
  /** Of what one thread does with raw pkcs11js. */
  readonly ofRaw?: number
  /** CPU microseconds a request, of each process. */
  readonly doorUs?: number
  readonly doorOfEcho?: number
  readonly hsmUs?: number
  /** Of raw pkcs11js on a session object. */
  readonly hsmOfRaw?: number
  /** CPU of both processes, of the same with the fewest keys. */
  readonly growth?: number
  readonly p50Ms?: number
  readonly p99Ms?: number
  readonly failed?: number
}

/** The side that others are held against. */
export const ECHO = 'echo'

/** The middle of some numbers; of an even count, the mean of the two in the middle. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const [low = Number.NaN, high = low] = sorted.slice(Math.ceil(middle) - 1, middle + 1)
  return sorted.length % 2 === 0 ? (low + high) / 2 : (sorted[Math.floor(middle)] ?? Number.NaN)
}

/** Sums up; `sides` in the order of the table, the echo first, then by the number of keys. */
export function summarise(
  measurements: Measurements,
  calls: readonly MeasuredCall[],
  sides: readonly string[],
): readonly Row[] {
  return calls.flatMap(({ title }) => [
    ...sides
      .filter((side) => measurements.samples.some((each) => isOf(each, title, side)))
      .map((side) => sideRow(measurements, title, side, sides)),
    ...(['token object', 'session object'] as const).map((object) => ({
      call: title,
      side: `raw pkcs11js, ${object}`,
      hsmUs: median(measurements.raw.map((costs) => costs[object][title] ?? Number.NaN)),
    })),
  ])
}

function isOf(sample: Sample, call: string, side: string): boolean {
  return sample.call === call && sample.side === side
}

function sideRow(
  { samples, raw }: Measurements,
  call: string,
  side: string,
  [echo = '', fewest = '']: readonly string[],
): Row {
  const of = (load: Sample['load'], name = side) =>
    samples.filter((each) => isOf(each, call, name) && each.load === load)
  const full = of('full')
  const half = of('half')
  const middle = (some: readonly Sample[], what: (result: RoundResult) => number) =>
    median(some.map(({ result }) => what(result)))
  const ratio = (other: string, what: (result: RoundResult) => number) =>
    median(pairs(full, of('full', other)).map(([ours, theirs]) => what(ours) / what(theirs)))
  const rate = (result: RoundResult) => result.requestsPerSecond
  const row = {
    call,
    side,
    requestsPerSecond: middle(full, rate),
    doorUs: middle(full, ({ doorUs }) => doorUs),
    p50Ms: middle(half, ({ p50Us }) => p50Us) / 1000,
    p99Ms: middle(half, ({ p99Us }) => p99Us) / 1000,
    failed: [...full, ...half].reduce((sum, { result }) => sum + result.failed, 0),
  }
  if (side === echo) return row
  const hsmUs = middle(full, (result) => result.hsmUs ?? Number.NaN)
  const rawUs = median(raw.map((costs) => costs['session object'][call] ?? Number.NaN))
  return {
    ...row,
    ofEcho: ratio(echo, rate),
    ofRaw: (row.requestsPerSecond * rawUs) / 1_000_000,
    doorOfEcho: ratio(echo, ({ doorUs }) => doorUs),
    hsmUs,
    hsmOfRaw: hsmUs / rawUs,
    growth: ratio(fewest, ({ doorUs, hsmUs: us }) => doorUs + (us ?? 0)),
  }
}

function pairs(ours: readonly Sample[], theirs: readonly Sample[]): [RoundResult, RoundResult][] {
  return ours.flatMap(({ turn, result }): [RoundResult, RoundResult][] => {
    const other = theirs.find((each) => each.turn === turn)
    return other ? [[result, other.result]] : []
  })
}

const COLUMNS: readonly {
  readonly title: string
  readonly text: (row: Row) => string
}[] = [
  { title: 'call', text: ({ call }) => call },
  { title: 'side', text: ({ side }) => side },
  { title: 'req/s', text: ({ requestsPerSecond }) => digits(requestsPerSecond, 0) },
  { title: '× echo', text: ({ ofEcho }) => digits(ofEcho, 2) },
  { title: '× raw', text: ({ ofRaw }) => digits(ofRaw, 2) },
  { title: 'door µs', text: ({ doorUs }) => digits(doorUs, 1) },
  { title: '× echo', text: ({ doorOfEcho }) => digits(doorOfEcho, 2) },
  { title: 'HSM µs', text: ({ hsmUs }) => digits(hsmUs, 1) },
  { title: '× raw', text: ({ hsmOfRaw }) => digits(hsmOfRaw, 2) },
  { title: 'growth', text: ({ growth }) => digits(growth, 2) },
  { title: 'p50 ms', text: ({ p50Ms }) => digits(p50Ms, 2) },
  { title: 'p99 ms', text: ({ p99Ms }) => digits(p99Ms, 2) },
  { title: 'failed', text: ({ failed }) => digits(failed, 0) },
]

/** The rows in Markdown. */
export function rowsTable(rows: readonly Row[]): string {
  return table(
    COLUMNS.map(({ title }) => title),
    rows.map((row) => COLUMNS.map(({ text }) => text(row))),
  )
}

/** The times of starting in Markdown. */
export function startsTable(startMs: Measurements['startMs']): string {
  return table(
    ['side', 'cold start ms'],
    [...startMs].map(([side, times]) => [side, digits(median(times), 0)]),
  )
}

/** A table in Markdown: words to the left, numbers to the right. */
export function table(titles: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = titles.map((title, at) =>
    Math.max(title.length, ...lines.map((line) => line[at]?.length ?? 0)),
  )
  const laidOut = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => pad(cell, widths[at] ?? 0, at)).join(' | ')} |`
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`
  return [laidOut(titles), rule, ...lines.map(laidOut)].join('\n')
}

function pad(cell: string, width: number, column: number): string {
  return column < 1 || /^[a-z]/.test(cell) ? cell.padEnd(width) : cell.padStart(width)
}

/** A number as a cell, so many digits behind the point; nothing where there is none. */
export function digits(value: number | undefined, count: number): string {
  return value === undefined || Number.isNaN(value) ? '' : value.toFixed(count)
}

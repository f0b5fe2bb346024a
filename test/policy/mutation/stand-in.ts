/**
 * Stands in for vitest while mutants are tried: the few words of it that the tests of this room use,
 * without its start, which would cost more than the tests do. They are put down as they are read,
 * and run one by one in any order.
 */

import assert from 'node:assert/strict'
import { format, isDeepStrictEqual } from 'node:util'

/** A test that was read. */
export interface ReadTest {
  readonly title: string
  readonly run: () => unknown
}

type Body = (...values: never[]) => unknown
/** What a test may be given beside its title: how long it may take, and what it does. */
type Rest = readonly (Body | object | number)[]

const read: ReadTest[] = []
let around: readonly string[] = []

/** Hands over the tests that were read since the last time. */
export function takeTests(): readonly ReadTest[] {
  return read.splice(0)
}

function put(title: string, ...rest: Rest): void {
  read.push({ title: [...around, title].join(' > '), run: bodyIn(rest) })
}

function group(title: string, ...rest: Rest): void {
  const before = around
  around = [...before, title]
  bodyIn(rest)()
  around = before
}

function bodyIn(rest: Rest): Body {
  const body = rest.find((each): each is Body => typeof each === 'function')
  if (body === undefined) throw new Error('a test without a body')
  return body
}

/** The form with a row of values for each case. */
const each =
  (one: (title: string, body: () => unknown) => void) =>
  (rows: readonly unknown[]) =>
  (title: string, ...rest: Rest): void => {
    for (const row of rows) {
      const values = Array.isArray(row) ? row : [row]
      one(format(title, ...values), () => bodyIn(rest)(...(values as never[])))
    }
  }

/** A test. */
export const test = Object.assign(put, { each: each(put) })

/** A group of tests. */
export const describe = Object.assign(group, { each: each(group) })

/** What a value is expected to be. */
export function expect(actual: unknown) {
  return {
    toBe: (expected: unknown) => assert.ok(Object.is(actual, expected)),
    toEqual: (expected: unknown) => assert.ok(isDeepStrictEqual(plain(actual), plain(expected))),
    toMatchObject: (expected: object) => assert.ok(holds(actual, expected)),
    toBeUndefined: () => assert.ok(actual === undefined),
    toContain: (part: string) => assert.ok((actual as string).includes(part)),
    toBeGreaterThan: (least: number) => assert.ok((actual as number) > least),
    toBeLessThan: (most: number) => assert.ok((actual as number) < most),
  }
}

/** Without members that are undefined, between which and none `toEqual` makes no difference. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (!isRecord(value)) return value
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  return Object.fromEntries(members.map(([name, member]) => [name, plain(member)]))
}

function holds(actual: unknown, expected: unknown): boolean {
  if (!isRecord(expected)) return isDeepStrictEqual(actual, expected)
  if (!isRecord(actual)) return false
  return Object.entries(expected).every(([name, member]) => holds(actual[name], member))
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && value.constructor === Object
}

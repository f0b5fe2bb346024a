/** The copies in memory: bounded, and never put back after they were dropped. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Copies } from '../../src/store/copies/copies.ts'

test('never answer anything but the last value, however reads and changes interleave', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd', 'e')
  const step = fc.oneof(
    fc.record({ kind: fc.constant('begin' as const), name }),
    fc.record({ kind: fc.constant('end' as const), at: fc.nat() }),
    fc.record({ kind: fc.constant('change' as const), name }),
    fc.record({ kind: fc.constant('clear' as const) }),
    fc.record({ kind: fc.constant('find' as const), name }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const copies = new Copies<number>(2)
      const truth = new Map<string, number>()
      const reads: { name: string; value: number; epoch: number }[] = []
      for (const step of steps) {
        if (step.kind === 'begin') {
          const value = truth.get(step.name) ?? 0
          reads.push({ name: step.name, value, epoch: copies.epoch })
        } else if (step.kind === 'end' && reads.length > 0) {
          const [read] = reads.splice(step.at % reads.length, 1)
          if (read !== undefined) copies.put(read.name, read.value, read.epoch)
        } else if (step.kind === 'change') {
          truth.set(step.name, (truth.get(step.name) ?? 0) + 1)
          copies.drop(step.name)
        } else if (step.kind === 'clear') {
          copies.clear()
        } else if (step.kind === 'find') {
          const found = copies.find(step.name)
          if (found !== undefined) expect(found).toBe(truth.get(step.name) ?? 0)
        }
      }
    }),
    { numRuns: 1000 },
  )
})

test('are bounded, and keep what is used', () => {
  const copies = new Copies<number>(10)
  for (let at = 0; at < 1000; at++) {
    copies.put(`${at}`, at, copies.epoch)
    expect(copies.find('0')).toBe(0)
  }
  const held = Array.from({ length: 1000 }, (_, at) => copies.find(`${at}`)).filter(
    (value) => value !== undefined,
  )
  expect(held.length).toBeLessThanOrEqual(20)
})

/** The measure itself: it tells what differs, and nothing else. */

import { expect, test } from 'vitest'
import { mostT, T_MAX } from './welch.ts'

/** Numbers around 100 with a long tail above, the same for the same seed. */
function noise(seed: number, count: number): Float64Array {
  let state = seed
  return Float64Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    const even = state / 2 ** 32
    return 100 + even ** 8 * 1_000 + even
  })
}

test('of one distribution there is nothing to tell', () => {
  for (let seed = 1; seed <= 5; seed += 1) {
    const samples = { first: noise(seed, 20_000), second: noise(seed + 100, 20_000) }
    expect(Math.abs(mostT(samples))).toBeLessThan(T_MAX)
  }
})

test('a hundredth more shows, even below a long tail', () => {
  const first = noise(1, 20_000)
  expect(mostT({ first, second: first.map((each) => each + 1) })).toBeLessThan(-T_MAX)
  expect(mostT({ first: first.map((each) => each + 1), second: first })).toBeGreaterThan(T_MAX)
})

/**
 * The timing of what compares secrets, `npm run test:timing`: whether calls that fail early take
 * another time than those that fail late. The classes come in random order, so that whatever else
 * the machine does is the same for both. Ends with 1 if some case differs for certain.
 */

import { randomInt } from 'node:crypto'
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { timingCases } from './cases.ts'
import type { Prepared, TimingCase } from './timing-case.ts'
import { mostT, type Samples, T_MAX } from './welch.ts'

const WARMING_UP = 20_000
const BATCH = 1_000

const { values } = parseArgs({
  options: {
    samples: { type: 'string', default: '1000000' },
    only: { type: 'string', default: '' },
  },
})

// What failing costs would hide what is looked for.
Error.stackTraceLimit = 0
const { cases, end } = await timingCases()
for (const each of cases.filter(({ name }) => name.startsWith(values.only))) {
  const beganMs = performance.now()
  await samplesOf(each, WARMING_UP)
  const samples = await samplesOf(each, Number(values.samples))
  const t = mostT(samples)
  const seconds = ((performance.now() - beganMs) / 1000).toFixed(0)
  const { first, second } = samples
  console.log(
    `${Math.abs(t) < T_MAX ? 'same' : 'DIFFERS'}  t ${t.toFixed(2)}  ${each.name}` +
      ` (${first.length} and ${second.length} samples, medians ${medianUs(first)} and` +
      ` ${medianUs(second)} us, ${seconds} s, load ${loadavg()[0]?.toFixed(1)})`,
  )
  if (Math.abs(t) >= T_MAX) process.exitCode = 1
}
await end()

async function samplesOf({ prepare }: TimingCase, count: number): Promise<Samples> {
  const taken = { first: new Float64Array(count), second: new Float64Array(count) }
  let [firsts, seconds] = [0, 0]
  while (firsts + seconds < count) {
    const batch = Array.from({ length: BATCH }, () => {
      const second = randomInt(2) === 1
      return { second, call: prepare(second) }
    })
    for (const { second, call } of batch) {
      const ns = await measured(call)
      if (second) taken.second[seconds++] = ns
      else taken.first[firsts++] = ns
    }
  }
  return { first: taken.first.subarray(0, firsts), second: taken.second.subarray(0, seconds) }
}

/** Nanoseconds. */
async function measured(call: Prepared): Promise<number> {
  const began = process.hrtime.bigint()
  try {
    await call()
  } catch {
    // They all fail.
  }
  return Number(process.hrtime.bigint() - began)
}

function medianUs(samples: Float64Array): string {
  return ((samples.toSorted()[samples.length >> 1] ?? 0) / 1000).toFixed(2)
}

/**
 * A token that takes milliseconds over a call, as one behind a network does: nothing is mixed up
 * while garbage is collected, more workers do more, and the door's event loop does not wait.
 */

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type FaultyToken,
  type FunctionName,
  makeFaultyToken,
  whyNoFaultModule,
} from './fault-module.ts'
import type { SlowReport, SlowTask } from './slow-door.ts'

const FULL = process.env.KEYSLOT_FAULTS === 'full'
const CIPHERTEXTS = FULL ? 10_000 : 200
/** At every n-th call; collecting in several threads takes its time. */
const COLLECT_EVERY = FULL ? 20 : 10
/** Sixteen threads take seconds to start. */
const WORKERS = FULL ? [1, 4, 16] : [1, 4]
const MEASURED_MS = FULL ? 5000 : 1000
/** What an event loop may stand still by its own doing; CI's machine has other work beside it. */
const STALL_MS = FULL ? 10 : 50

const DOOR = join(import.meta.dirname, 'slow-door.ts')
const COLLECT = new URL('collect.mjs', import.meta.url).href
const USES: readonly FunctionName[] = ['C_Encrypt', 'C_Decrypt']
const INITS: readonly FunctionName[] = ['C_EncryptInit', 'C_DecryptInit']

const why = whyNoFaultModule()

let token: FaultyToken
beforeAll(async () => {
  if (why === undefined) token = await makeFaultyToken()
})
afterAll(() => token?.remove())

async function doorDoes(
  work: { does: 'round trips'; count: number } | { does: 'throughput'; forMs: number },
  change: Partial<SlowTask['settings']>,
): Promise<SlowReport> {
  const path = join(token.directory, 'keyslot.db')
  const task: SlowTask = { settings: { ...token.settings, ...change }, path, ...work }
  const run = promisify(execFile)
  const { stdout } = await run(process.execPath, ['--expose-gc', DOOR, JSON.stringify(task)])
  return JSON.parse(stdout)
}

function slowDown(functions: readonly FunctionName[], us: number): void {
  for (const name of [...USES, ...INITS]) token.faults.delay(name, 0)
  for (const name of functions) token.faults.delay(name, us)
}

describe.skipIf(why !== undefined)('a slow token', () => {
  test('mixes nothing up while garbage is collected', { timeout: 600_000 }, async () => {
    slowDown(USES, 5000)
    const moduleEnvironment = {
      ...token.settings.moduleEnvironment,
      NODE_OPTIONS: `--import=${COLLECT}`,
      KEYSLOT_FAULTS_COLLECT_EVERY: `${COLLECT_EVERY}`,
    }
    const { right, wrong } = await doorDoes(
      { does: 'round trips', count: CIPHERTEXTS },
      { workers: 4, moduleEnvironment, callTimeoutMs: 60_000 },
    )
    expect(wrong).toBe(0)
    expect(right).toBe(CIPHERTEXTS)
  })

  test.each([
    { what: 'use', functions: USES },
    { what: 'use and Init', functions: [...USES, ...INITS] },
  ])(
    'of 2 ms on $what does more with more workers',
    { timeout: 120_000 },
    async ({ functions }) => {
      slowDown(functions, 2000)
      const reports: SlowReport[] = []
      for (const workers of WORKERS) {
        const report = await doorDoes({ does: 'throughput', forMs: MEASURED_MS }, { workers })
        reports.push(report)
        const { callsPerSecond, turns } = report
        if (turns === undefined) throw new Error('nothing is known of the event loop')
        console.log(
          `${workers} workers: ${callsPerSecond} encryptions a second; a turn of the event loop:` +
            ` ${turns.p50} ms (p50), ${turns.p99} ms (p99), ${turns.max} ms (most, of which` +
            ` ${turns.maxWaited} ms waiting for a core); ran ${turns.ranMax} ms at most`,
        )
        expect(turns.ranMax).toBeLessThan(STALL_MS)
        // What waits for the HSM in the door's own thread does so in most turns.
        expect(turns.p99Unwaited).toBeLessThan(STALL_MS)
      }
      const [one = 0, four = 0, sixteen] = reports.map(({ callsPerSecond }) => callsPerSecond)
      expect(four / one).toBeGreaterThan(FULL ? 2 : 1.2)
      if (sixteen !== undefined) expect(sixteen / one).toBeGreaterThan(4)
    },
  )
})

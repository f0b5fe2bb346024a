/** Door process, HSM process and both killed with SIGKILL under load: nothing is lost. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MATCHING, reconcileLeftBehind } from './left-behind.ts'
import { type Acknowledged, accountOf } from './load.ts'
import { type ServiceProcess, serviceProcess, sleep } from './service-process.ts'

/** A thousand kills take most of an hour; a sample of them is made at every run of the tests. */
const FULL = process.env.KEYSLOT_FAULTS === 'full'
/** Each service is killed so often: SoftHSM reads all of its objects at every start. */
const KILLS = FULL ? 50 : 4
const SERVICES = FULL ? 20 : 1
const WHAT = [
  'door process',
  'HSM process',
  'door and HSM process',
  'door process, and again at its start',
] as const
/** So long the load goes on at most before a kill; a change takes some 50 ms. */
const LOAD_MS = 350
/** About how long a start takes. */
const START_MS = 2_500
/** Seconds on a machine that has nothing else to do. */
const ROUND_MS = 300_000
const PATIENCE_MS = 100_000

const services = Array.from({ length: SERVICES }, (_, at) => at + 1)
// One after the other: an HSM process that is killed again and again waits before it starts.
const kills = Array.from({ length: KILLS }, (_, at) => ({
  kill: at + 1,
  what: WHAT[at % WHAT.length] ?? WHAT[0],
}))

let service: ServiceProcess
let acknowledged: Acknowledged
const recoveriesMs: number[] = []

/** Kills it under load, waits until all is well, and answers what the callers were told. */
async function killUnderLoad(what: (typeof WHAT)[number]): Promise<ReadonlySet<string>> {
  const running = acknowledged.load()
  let killedMs = 0
  try {
    await sleep(50 + Math.random() * LOAD_MS)
    const hsm = service.hsmPid()
    if (hsm === undefined) throw new Error('there is no HSM process to kill')
    killedMs = performance.now()
    if (!what.startsWith('door process')) process.kill(hsm, 'SIGKILL')
    if (what === 'HSM process') await untilItServes()
    else await service.killDoor()
  } finally {
    await running.stop()
  }
  if (what !== 'HSM process') {
    if (what === 'door process, and again at its start') await killStarting()
    await service.start()
    await untilItServes()
  }
  recoveriesMs.push(performance.now() - killedMs)
  return new Set(running.failures.map(({ name, grpcStatus }) => `${name} ${grpcStatus}`))
}

/** Kills the door process some way into its start: while it opens store and token, or reconciles. */
async function killStarting(): Promise<void> {
  const starting = service.start().catch((cause: Error) => {
    expect(cause.message).toContain('keyslot has ended')
  })
  await sleep(Math.random() * START_MS)
  await service.killDoor()
  await starting
}

/** 5 s is the promise for a machine that has nothing else to do. */
async function untilItServes(): Promise<void> {
  const random = async () =>
    (await service.client.call('GenerateRandom', { numberOfBytes: 1 }).catch(() => undefined))
      ?.plaintext
  await expect.poll(random, { timeout: PATIENCE_MS, interval: 20 }).toHaveLength(1)
}

describe.each(services)('service %i', () => {
  beforeAll(async () => {
    service = await serviceProcess()
    await service.start()
    acknowledged = accountOf(service)
  })
  afterAll(() => service.remove())

  test.each(kills)('kill $kill: $what', { timeout: ROUND_MS }, async ({ what }) => {
    const told = await killUnderLoad(what)
    if (what === 'HSM process') {
      // 14: UNAVAILABLE. The second is for calls that the killed process had already been sent.
      const expected = ['KMSInternalException 14', 'DependencyTimeoutException 14']
      expect([...told].filter((name) => !expected.includes(name))).toEqual([])
    }
    await acknowledged.expectNothingLost('sample')
  })

  test('everything that was ever acknowledged is there', { timeout: 600_000 }, async () => {
    expect(acknowledged.size).toBeGreaterThan(KILLS)
    await acknowledged.expectNothingLost('all')
  })

  test('what is left matches: no orphan in the token, no key without its material', async () => {
    expect(await service.interrupt()).toBe(0)
    expect(await reconcileLeftBehind(service.home)).toMatchObject(MATCHING)
  })
})

afterAll(() => {
  const sorted = recoveriesMs.toSorted((one, other) => one - other)
  const [half = 0, most = 0] = [sorted[sorted.length >> 1], sorted.at(-1)]
  console.log(
    `${sorted.length} kills; served again within ${half.toFixed(0)} ms half of the time,` +
      ` within ${most.toFixed(0)} ms always`,
  )
})

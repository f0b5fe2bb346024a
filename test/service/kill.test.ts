/** Door process, HSM process and both killed with SIGKILL under load: nothing is lost. */

import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { reconcile } from '../../src/lifecycle/reconcile.ts'
import { findSoftHsm, softhsmEnvironment } from '../../src/pkcs11/profiles/softhsm.ts'
import { startHsm } from '../../src/pkcs11/supervisor.ts'
import { openStore } from '../../src/store/database.ts'
import { type Acknowledged, accountOf } from './load.ts'
import { type ServiceProcess, serviceProcess, sleep } from './service-process.ts'

/** A thousand kills take hours; a sample of them is made at every run of the tests. */
const FULL = process.env.KEYSLOT_FAULTS === 'full'
const ROUNDS = FULL ? { door: 334, hsm: 333, both: 333 } : { door: 4, hsm: 4, both: 2 }
/** For each round of a full run. */
const ROUND_MS = 60_000

let service: ServiceProcess
let acknowledged: Acknowledged
beforeAll(async () => {
  service = await serviceProcess()
  await service.start()
  acknowledged = accountOf(service)
})
afterAll(() => service.remove())

/** The door's process, once it is there again. */
async function startAgain(): Promise<void> {
  await service.start()
  // A channel that has failed waits before it connects again.
  await expect
    .poll(() => service.client.call('ListKeys', {}).catch(() => undefined), { timeout: 20_000 })
    .toBeDefined()
}

test('the door process', { timeout: 120_000 + ROUNDS.door * ROUND_MS }, async () => {
  for (let round = 0; round < ROUNDS.door; round += 1) {
    const running = acknowledged.load()
    await sleep(50 + Math.random() * 350)
    await service.killDoor()
    await running.stop()
    await startAgain()
    await acknowledged.expectNothingLost('sample')
  }
  expect(acknowledged.size).toBeGreaterThan(ROUNDS.door)
})

test('the HSM process: the door recovers by itself', {
  timeout: 120_000 + ROUNDS.hsm * ROUND_MS,
}, async () => {
  for (let round = 0; round < ROUNDS.hsm; round += 1) {
    const running = acknowledged.load()
    try {
      await sleep(50 + Math.random() * 250)
      const pid = service.hsmPid()
      expect(pid).toBeDefined()
      process.kill(pid ?? 0, 'SIGKILL')
      const killedMs = performance.now()
      const { client } = service
      const random = async () =>
        (await client.call('GenerateRandom', { numberOfBytes: 1 }).catch(() => undefined))
          ?.plaintext
      // 5 s is the promise for a machine that has nothing else to do.
      await expect.poll(random, { timeout: 20_000, interval: 20 }).toHaveLength(1)
      if (!FULL) console.log(`recovered after ${(performance.now() - killedMs).toFixed(0)} ms`)
    } finally {
      await running.stop()
    }
    const names = new Set(running.failures.map(({ name, grpcStatus }) => `${name} ${grpcStatus}`))
    // 14: UNAVAILABLE. The second is for calls that the killed process had already been sent.
    const expected = ['KMSInternalException 14', 'DependencyTimeoutException 14']
    expect([...names].filter((name) => !expected.includes(name))).toEqual([])
    await acknowledged.expectNothingLost('sample')
  }
})

test('both at once', { timeout: 120_000 + ROUNDS.both * ROUND_MS }, async () => {
  for (let round = 0; round < ROUNDS.both; round += 1) {
    const running = acknowledged.load()
    await sleep(50 + Math.random() * 350)
    process.kill(service.hsmPid() ?? 0, 'SIGKILL')
    await service.killDoor()
    await running.stop()
    await startAgain()
    await acknowledged.expectNothingLost('sample')
  }
})

test('everything that was ever acknowledged is there', { timeout: 3_600_000 }, () =>
  acknowledged.expectNothingLost('all'),
)

test('what is left matches: no orphan in the token, no key without its material', async () => {
  const code = await service.interrupt()
  expect(code).toBe(0)
  const at = (name: string) => join(service.home, name)
  const store = await openStore({ path: at('keyslot.db') })
  const installation = await store.installation()
  const hsm = await startHsm(
    {
      modulePath: findSoftHsm() ?? '',
      tokenLabel: 'keyslot',
      pinFile: at('hsm/pin'),
      moduleEnvironment: softhsmEnvironment(at('hsm/softhsm2.conf')),
      canaryId: installation?.canaryId,
    },
    { log: () => {} },
  )
  const report = await reconcile(
    { store, objects: hsm.objects, clock: Date.now },
    { patienceMs: 0 },
  )
  expect(report).toMatchObject({ unexplained: [], missing: [], returned: [], waiting: [] })
  await hsm.stop()
  await store.close()
})

/** Both processes killed with SIGKILL under load: nothing that was acknowledged is lost. */

import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { KeyslotError } from '../../src/client/error.ts'
import { reconcile } from '../../src/lifecycle/reconcile.ts'
import { findSoftHsm, softhsmEnvironment } from '../../src/pkcs11/profiles/softhsm.ts'
import { startHsm } from '../../src/pkcs11/supervisor.ts'
import { openStore } from '../../src/store/database.ts'
import { type ServiceProcess, serviceProcess, sleep } from './service-process.ts'

const ROUNDS = 4

let service: ServiceProcess
beforeAll(async () => {
  service = await serviceProcess()
  await service.start()
})
afterAll(() => service.remove())

/** Everything that the service has acknowledged. */
const acknowledged = {
  ciphertexts: [] as { plaintext: Buffer; ciphertextBlob: Buffer }[],
  /** How often each key has been rotated. */
  rotations: new Map<string, number>(),
  disabled: new Set<string>(),
}

/** Calls without pause until told to stop; answers the failures of calls. */
function load() {
  const failures: KeyslotError[] = []
  let stopped = false
  const until = async (work: () => Promise<void>): Promise<void> => {
    while (!stopped) {
      try {
        await work()
      } catch (error) {
        if (!(error instanceof KeyslotError)) throw error
        failures.push(error)
        await sleep(5)
      }
    }
  }
  const { client } = service
  let count = 0
  const encrypt = async () => {
    count += 1
    const plaintext = Buffer.from(`message ${count}`)
    const { ciphertextBlob } = await client.call('Encrypt', { keyId: 'alias/dev', plaintext })
    acknowledged.ciphertexts.push({ plaintext, ciphertextBlob })
  }
  const change = async () => {
    const { keyMetadata } = await client.call('CreateKey', {})
    const keyId = keyMetadata?.keyId ?? ''
    acknowledged.rotations.set(keyId, 0)
    await client.call('RotateKeyOnDemand', { keyId })
    acknowledged.rotations.set(keyId, 1)
    const plaintext = Buffer.from(keyId)
    const { ciphertextBlob } = await client.call('Encrypt', { keyId, plaintext })
    acknowledged.ciphertexts.push({ plaintext, ciphertextBlob })
    if (acknowledged.rotations.size % 3 === 0) {
      await client.call('DisableKey', { keyId })
      acknowledged.disabled.add(keyId)
    }
  }
  const callers = [until(encrypt), until(encrypt), until(change)]
  return {
    failures,
    async stop() {
      stopped = true
      await Promise.all(callers)
    },
  }
}

async function expectNothingLost(): Promise<void> {
  const { client } = service
  for (const keyId of acknowledged.disabled) await client.call('EnableKey', { keyId })
  for (const { plaintext, ciphertextBlob } of acknowledged.ciphertexts) {
    expect((await client.call('Decrypt', { ciphertextBlob })).plaintext).toEqual(plaintext)
  }
  for (const [keyId, times] of acknowledged.rotations) {
    const { rotations } = await client.call('ListKeyRotations', { keyId })
    expect(rotations.length).toBeGreaterThanOrEqual(times)
  }
  for (const keyId of acknowledged.disabled) {
    await client.call('DisableKey', { keyId })
    const { keyMetadata } = await client.call('DescribeKey', { keyId })
    expect(keyMetadata?.keyState).toBe('Disabled')
  }
}

test('the door process killed under load', { timeout: 120_000 }, async () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const running = load()
    await sleep(100 + Math.random() * 300)
    await service.killDoor()
    await running.stop()
    await service.start()
    // A channel that has failed waits before it connects again.
    await expect
      .poll(() => service.client.call('ListKeys', {}).catch(() => undefined), { timeout: 10_000 })
      .toBeDefined()
    await expectNothingLost()
  }
  expect(acknowledged.ciphertexts.length).toBeGreaterThan(ROUNDS * 10)
})

test('the HSM process killed under load: the door recovers by itself', async () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const running = load()
    try {
      await sleep(100 + Math.random() * 200)
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
      console.log(`recovered after ${(performance.now() - killedMs).toFixed(0)} ms`)
    } finally {
      await running.stop()
    }
    const names = new Set(running.failures.map(({ name, grpcStatus }) => `${name} ${grpcStatus}`))
    // 14: UNAVAILABLE. The second is for calls that the killed process had already been sent.
    const expected = ['KMSInternalException 14', 'DependencyTimeoutException 14']
    expect([...names].filter((name) => !expected.includes(name))).toEqual([])
    await expectNothingLost()
  }
}, 180_000)

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

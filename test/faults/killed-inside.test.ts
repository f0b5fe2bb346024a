/**
 * The HSM process killed inside a call of the module: at its beginning, some way into it, at its
 * end. What was acknowledged is kept, and one reconciliation leaves token and store whole.
 */

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { destroyKey } from '../../src/lifecycle/destroy.ts'
import { reconcile } from '../../src/lifecycle/reconcile.ts'
import { rotateKey } from '../../src/lifecycle/rotate.ts'
import { expectWhole } from '../lifecycle/fixture.ts'
import { decrypt, encrypt, makeDueKey, makeKey, openPair, type Pair } from '../lifecycle/pair.ts'
import {
  type Fault,
  type FaultyToken,
  type FunctionName,
  makeFaultyToken,
  whyNoFaultModule,
} from './fault-module.ts'

const FULL = process.env.KEYSLOT_FAULTS === 'full'
/** Kills at random moments of each call. */
const RANDOM_KILLS = FULL ? 50 : 1
/** About how long the longest of the calls takes. */
const CALL_US = 8000
const PATIENCE_MS = 20_000

const why = whyNoFaultModule()

let token: FaultyToken
let pair: Pair
const blobs: { readonly keyId: string; readonly blob: string }[] = []

beforeAll(async () => {
  if (why !== undefined) return
  token = await makeFaultyToken()
  pair = await openPair(token.settings, join(token.directory, 'keyslot.db'))
})
// A process that has been restarted waits longer before the next restart.
beforeEach(async () => {
  if (pair?.hsm.metrics().restarts === 0) return
  await pair?.close()
  pair = await openPair(token.settings, join(token.directory, 'keyslot.db'))
})
afterAll(async () => {
  if (why !== undefined) return
  await pair.close()
  token.remove()
})

const MOMENTS: readonly Extract<Fault, { does: 'kill' }>['when'][] = [
  ...(FULL ? (['before'] as const) : []),
  'afterwards',
  ...Array.from({ length: RANDOM_KILLS }, () => ({ us: Math.round(Math.random() * CALL_US) })),
]
const CHANGES: readonly { name: FunctionName; during: string; change: () => Promise<unknown> }[] = [
  { name: 'C_GenerateKey', during: 'create', change: acknowledgedKey },
  { name: 'C_GenerateKey', during: 'rotate', change: rotateOne },
  { name: 'C_DestroyObject', during: 'destroy', change: destroyOne },
  { name: 'C_Encrypt', during: 'encrypt', change: acknowledgedKey },
]

/** A key and a ciphertext under it, both acknowledged. */
async function acknowledgedKey() {
  const key = await makeKey(pair.services)
  blobs.push({ keyId: key.keyId, blob: await encrypt(pair, key) })
  return key
}

async function rotateOne() {
  const key = await makeKey(pair.services)
  armed()
  await rotateKey(pair.services, key, 'ON_DEMAND')
}

async function destroyOne() {
  const key = await makeDueKey(pair.services)
  armed()
  await destroyKey(pair.services, key)
}

let armed = () => {}

async function untilReady(): Promise<void> {
  const isReady = () => pair.hsm.state().state === 'ready'
  await expect.poll(isReady, { timeout: PATIENCE_MS, interval: 20 }).toBe(true)
}

async function expectRecovery(): Promise<void> {
  token.faults.clear()
  await untilReady()
  const report = await reconcile(pair.services, { patienceMs: 0 })
  expect(report).toMatchObject({ waiting: [], unexplained: [], missing: [], returned: [] })
  await expectWhole(pair)
  for (const { keyId, blob } of blobs) expect(await decrypt(pair, blob)).toBe(`for ${keyId}`)
}

describe.skipIf(why !== undefined)('the HSM process is killed', () => {
  describe.each(CHANGES)('inside $name during $during', ({ name, during, change }) => {
    test.each(MOMENTS)('%o', async (when) => {
      await untilReady()
      const pid = pair.hsm.pid()
      armed = () => token.faults.arm(name, { does: 'kill', when }, { times: 1 })
      if (during === 'create' || during === 'encrypt') armed()
      await change().then(
        () => undefined,
        (cause: unknown) => expect(cause).toHaveProperty('name', 'KMSInternalException'),
      )
      // The door may hear of the end after the last answer.
      await expect.poll(() => pair.hsm.pid() !== pid, { timeout: PATIENCE_MS }).toBe(true)
      await expectRecovery()
    })
  })

  test.each(MOMENTS)('inside C_Login, at two starts: %o', async (when) => {
    await untilReady()
    token.faults.arm('C_Login', { does: 'kill', when }, { times: 2 })
    process.kill(pair.hsm.pid() ?? 0, 'SIGKILL')
    while (token.faults.hits('C_Login') < 2) await sleep(20)
    await expectRecovery()
  })
})

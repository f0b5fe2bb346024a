/**
 * Calls that take a token long, and those that do not: while pairs of RSA are made, which is slowed
 * down here, encryption goes on, whether slow calls have a worker of their own or not.
 */

import { afterEach, describe, expect, test } from 'vitest'
import type { Authorised } from '../../src/model/authorised.ts'
import type { Key } from '../../src/model/key.ts'
import { type HsmHandle, startHsm } from '../../src/pkcs11/client/supervisor.ts'
import { type Lane, lanesOf, workersWanted } from '../../src/pkcs11/lanes.ts'
import { PROFILES } from '../../src/pkcs11/profiles/choose.ts'
import type { HsmSettings } from '../../src/pkcs11/settings.ts'
import { makeKey } from '../pkcs11/token.ts'
import { type FaultyToken, makeFaultyToken, whyNoFaultModule } from './fault-module.ts'

const { softhsm, standard } = PROFILES
const SLOW_US = 1_500_000
const CONTEXT = Buffer.from('lanes')

test.each([
  { profile: softhsm, setting: undefined, lanes: 'cheap slow' },
  { profile: softhsm, setting: 3, lanes: 'cheap cheap cheap slow' },
  { profile: standard, setting: 1, lanes: 'both' },
  { profile: standard, setting: 2, lanes: 'cheap both' },
  { profile: standard, setting: 5, lanes: 'cheap cheap both both both' },
])('$profile.name with $setting workers: $lanes', ({ profile, setting, lanes }) => {
  const workers = workersWanted(profile, setting)
  expect(lanesOf(profile, workers)).toEqual(lanes.split(' ') as Lane[])
})

test('a token that has a session for one worker only has one for all calls', () => {
  expect(lanesOf(softhsm, 1)).toEqual(['both'])
})

const why = whyNoFaultModule()
if (why !== undefined) console.log(`skipped: ${why}`)

describe.skipIf(why !== undefined)('beside slow calls', () => {
  let token: FaultyToken
  let handle: HsmHandle
  let key: Authorised<Key>

  async function start(change: Partial<HsmSettings>): Promise<void> {
    token = await makeFaultyToken()
    const settings = { ...token.settings, callTimeoutMs: 60_000, ...change }
    handle = await startHsm(settings, { log: () => undefined })
    await handle.objects.createCanary()
    key = await makeKey(handle.objects)
    await encrypt()
    token.faults.delay('C_GenerateKeyPair', SLOW_US)
  }
  afterEach(async () => {
    token.faults.delay('C_GenerateKeyPair', 0)
    await handle.stop()
    token.remove()
  })

  const encrypt = () =>
    handle.hsm.encrypt(key, { plaintext: Buffer.alloc(32), context: CONTEXT }, {})

  /** How many slow calls had ended when so many cheap ones had. */
  async function endedBefore(slowCalls: number, cheapCalls: number): Promise<number> {
    let ended = 0
    const input = { spec: 'RSA_2048', context: CONTEXT } as const
    const slow = Array.from({ length: slowCalls }, async () => {
      await handle.hsm.generateDataKeyPair(key, input, {})
      ended += 1
    })
    for (let count = 0; count < cheapCalls; count++) await encrypt()
    const before = ended
    await Promise.all(slow)
    return before
  }

  test('that have a worker to themselves, cheap ones do not wait', async () => {
    await start({ profile: 'softhsm', workers: 1 })
    expect(await endedBefore(3, 50)).toBe(0)
  })

  test('that most workers take too, cheap ones do not wait', async () => {
    await start({ profile: 'standard', workers: 4 })
    expect(await endedBefore(5, 50)).toBe(0)
  })

  test('on the only worker, cheap ones wait for one of them', async () => {
    await start({ profile: 'standard', workers: 1 })
    expect(await endedBefore(3, 1)).toBeLessThanOrEqual(1)
  })

  test('on the only worker, slow ones have their turn while cheap ones keep coming', async () => {
    await start({ profile: 'standard', workers: 1, sentCallsMax: 4 })
    let isOver = false
    let cheap = 0
    const callers = Array.from({ length: 16 }, async () => {
      for (; !isOver; cheap++) await encrypt()
    })
    const input = { spec: 'RSA_2048', context: CONTEXT } as const
    const pairs = Array.from({ length: 2 }, async () => {
      await handle.hsm.generateDataKeyPair(key, input, {})
      return cheap
    })
    const [first = 0, second = 0] = await Promise.all(pairs)
    isOver = true
    await Promise.all(callers)
    expect(first).toBeGreaterThan(0)
    // Between the two the others had theirs.
    expect(second - first).toBeGreaterThan(16)
  })
})

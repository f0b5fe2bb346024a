/**
 * A token whose derivation is broken while all else of it works: nobody has to use it for the
 * service to say that it is not ready, and it is ready again when the token is.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectHonest, type FaultyDoor, makeDoor } from './door.ts'
import { CODES, type CodeName, whyNoFaultModule } from './fault-module.ts'

const CANARY_INTERVAL_MS = 200
const PATIENCE_MS = 20_000
const FULL = process.env.KEYSLOT_FAULTS === 'full'
const TRIED = FULL ? (Object.keys(CODES) as CodeName[]) : (['CKR_GENERAL_ERROR'] as const)

const why = whyNoFaultModule()

let door: FaultyDoor
beforeAll(async () => {
  if (why === undefined) door = await makeDoor({ canaryIntervalMs: CANARY_INTERVAL_MS })
})
afterAll(() => door?.remove())

describe.skipIf(why !== undefined)('a token that derives no keys any more', () => {
  test.each(TRIED)('with %s is not ready, until it does', { timeout: 60_000 }, async (code) => {
    await door.restart()
    const isReady = () => door.hsm().state().state === 'ready'
    door.faults.arm('C_DeriveKey', { does: 'return', code })
    await expect.poll(isReady, { timeout: PATIENCE_MS }).toBe(false)
    // A process that starts again finds the same, and the service does not come and go.
    const hits = door.faults.hits('C_DeriveKey')
    const again = () => door.faults.hits('C_DeriveKey') > hits
    await expect.poll(again, { timeout: PATIENCE_MS }).toBe(true)
    expect(door.states).not.toContain('refused')
    expect(door.states.slice(1)).not.toContain('ready')
    expectHonest(await door.dataRound())
    door.faults.clear()
    await expect.poll(isReady, { timeout: PATIENCE_MS }).toBe(true)
    await door.untilSound(door.dataRound, PATIENCE_MS)
    await door.expectNothingLost()
    expect(await door.hsm().objects.suite()).toBe(1)
  })
})

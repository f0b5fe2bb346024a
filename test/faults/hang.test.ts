/**
 * A token that hangs: callers wait no longer than their deadline or the settings say, and the
 * process that hangs is replaced.
 */

import { afterEach, describe, expect, test } from 'vitest'
import { KmsError } from '../../src/model/failures.ts'
import { type FaultyDoor, makeDoor } from './door.ts'
import { type FunctionName, whyNoFaultModule } from './fault-module.ts'

const CALL_TIMEOUT_MS = 1500
/** The start of the process has to fit in, on a machine that is busy. */
const MANAGEMENT_TIMEOUT_MS = 8000
const DEADLINE_MS = 500
/** Waiting calls are looked over ten times a second; the rest is for a machine that is busy, as the
 * names of the failures tell the cases apart. */
const GRACE_MS = 15_000
const PATIENCE_MS = 25_000

const why = whyNoFaultModule()

let door: FaultyDoor
afterEach(() => door?.remove())

/** The failure of a call, and after how many milliseconds it came. */
async function failureOf(call: Promise<unknown>) {
  const startMs = performance.now()
  const failure = await call.then(
    () => undefined,
    (cause: unknown) => cause,
  )
  if (!(failure instanceof KmsError)) throw new Error(`it ended with ${failure}`)
  return { failure, tookMs: performance.now() - startMs }
}

describe.skipIf(why !== undefined)('a token that hangs', () => {
  test.each<FunctionName>(['C_Encrypt', 'C_DecryptInit', 'C_GenerateRandom'])(
    'in %s keeps its callers no longer than their deadline, and is replaced',
    async (name) => {
      door = await makeDoor({ callTimeoutMs: CALL_TIMEOUT_MS })
      const [key] = door.keys
      if (key === undefined) throw new Error('no key')
      const { hsm } = door.hsm()
      const input = { plaintext: Buffer.from('x'), context: Buffer.alloc(2) }
      // Every second message derives a key, for which random bytes are fetched 1536 at a time.
      const encrypt = (deadlineMs?: number) =>
        name === 'C_GenerateRandom'
          ? hsm.generateRandom(32, { deadlineMs })
          : hsm.encrypt(key, input, { deadlineMs })
      door.faults.arm(name, { does: 'hang' })
      const patient = failureOf(encrypt())
      const hasty = await failureOf(encrypt(Date.now() + DEADLINE_MS))
      expect(hasty.failure.name).toBe('DependencyTimeoutException')
      expect(hasty.failure.grpc).toBe('DEADLINE_EXCEEDED')
      expect(hasty.tookMs).toBeLessThan(DEADLINE_MS + GRACE_MS)
      const { failure, tookMs } = await patient
      expect(failure).toMatchObject({ name: 'DependencyTimeoutException', grpc: 'UNAVAILABLE' })
      expect(tookMs).toBeLessThan(CALL_TIMEOUT_MS + GRACE_MS)
      expect(door.hsm().state().state).toBe('down')
      door.faults.clear()
      await door.untilSound(door.dataRound, PATIENCE_MS)
      expect(door.states).toEqual(['ready', 'down', 'ready'])
      await door.expectNothingLost()
    },
  )

  test('is not what a door sees that stood still itself', async () => {
    door = await makeDoor({ callTimeoutMs: CALL_TIMEOUT_MS })
    const round = door.dataRound()
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2 * CALL_TIMEOUT_MS)
    expect((await round).filter(({ failure }) => failure)).toEqual([])
    expect(door.hsm().metrics().restarts).toBe(0)
    expect(door.states).toEqual(['ready'])
  })

  test('while it makes an object is used for data meanwhile, and replaced', async () => {
    door = await makeDoor({ managementTimeoutMs: MANAGEMENT_TIMEOUT_MS })
    door.faults.arm('C_GenerateKey', { does: 'hang' })
    const id = '00112233445566778899aabbccddeeff'
    const { objects } = door.hsm()
    const made = failureOf(objects.generateBackingKey({ id, label: 'keyslot hung 1', suite: 1 }))
    const outcomes = await door.dataRound()
    expect(outcomes.filter(({ failure }) => failure)).toEqual([])
    const { failure, tookMs } = await made
    expect(failure).toMatchObject({ name: 'DependencyTimeoutException', grpc: 'UNAVAILABLE' })
    expect(tookMs).toBeLessThan(MANAGEMENT_TIMEOUT_MS + GRACE_MS)
    door.faults.clear()
    await door.untilSound(door.objectRound, PATIENCE_MS)
    expect(await door.hsm().objects.provesBackingKey({ id, suite: 1 })).toBe(false)
  })

  test('in C_Login while it starts is replaced until it does not', async () => {
    door = await makeDoor({ managementTimeoutMs: MANAGEMENT_TIMEOUT_MS })
    door.faults.arm('C_Login', { does: 'hang' }, { times: 1 })
    process.kill(door.hsm().pid() ?? 0, 'SIGKILL')
    await door.untilSound(door.dataRound, PATIENCE_MS)
    expect(door.faults.hits('C_Login')).toBe(1)
    expect(door.hsm().metrics().restarts).toBeGreaterThanOrEqual(2)
  })
})

/**
 * Each code of a failing HSM, at each function that keyslot calls, once, a second time and always:
 * no wrong answer, no session that stays poisoned, no fault of the HSM blamed on the caller, and
 * soon after the fault all is well. With KEYSLOT_FAULTS=full, every combination.
 */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { returnValue } from '../../src/pkcs11/token/return-values.ts'
import { expectHonest, type FaultyDoor, makeDoor, type Outcome } from './door.ts'
import { CODES, type CodeName, type FunctionName, whyNoFaultModule } from './fault-module.ts'
import { type KindRounds, makeKindRounds } from './kind-rounds.ts'

const FULL = process.env.KEYSLOT_FAULTS === 'full'
/** The promise, on a machine that has nothing else to do; of the median here. */
const RECOVERY_MS = 5000
const PATIENCE_MS = 4 * RECOVERY_MS

const DATA: readonly FunctionName[] = [
  'C_GenerateRandom',
  'C_DeriveKey',
  'C_EncryptInit',
  'C_Encrypt',
  'C_DecryptInit',
  'C_Decrypt',
  'C_OpenSession',
  'C_CloseSession',
]
const OBJECTS: readonly FunctionName[] = [
  'C_FindObjectsInit',
  'C_FindObjects',
  'C_FindObjectsFinal',
  'C_GetAttributeValue',
  'C_GenerateKey',
  'C_DestroyObject',
  'C_OpenSession',
  'C_CloseSession',
]
const KEYS: readonly FunctionName[] = [
  'C_SignInit',
  'C_Sign',
  'C_DeriveKey',
  'C_GenerateKeyPair',
  'C_DecryptInit',
  'C_Decrypt',
  'C_GetAttributeValue',
]
const PAIRS: readonly FunctionName[] = [
  'C_GenerateKeyPair',
  'C_SignInit',
  'C_Sign',
  'C_GetAttributeValue',
  'C_DestroyObject',
]
const IMPORTS: readonly FunctionName[] = [
  'C_UnwrapKey',
  'C_EncryptInit',
  'C_Encrypt',
  'C_DeriveKey',
]
const START: readonly FunctionName[] = [
  'C_Initialize',
  'C_GetInfo',
  'C_GetSlotList',
  'C_GetTokenInfo',
  'C_GetMechanismList',
  'C_OpenSession',
  'C_Login',
  'C_GenerateRandom',
  'C_GenerateKey',
  'C_CreateObject',
  'C_DeriveKey',
  'C_Encrypt',
  'C_Decrypt',
  'C_FindObjects',
  'C_GetAttributeValue',
]
const TIMES = [
  { when: 'the first time', from: 1, times: 1 },
  { when: 'the second time', from: 2, times: 1 },
  { when: 'always', from: 1, times: Number.POSITIVE_INFINITY },
] as const

const why = whyNoFaultModule()
if (why !== undefined) console.log(`skipped: ${why}`)

let door: FaultyDoor
let rounds: Readonly<Record<'data' | 'objects' | keyof KindRounds, () => Promise<Outcome[]>>>
beforeAll(async () => {
  if (why !== undefined) return
  door = await makeDoor()
  const ofKinds = await makeKindRounds(() => door.hsm())
  rounds = { data: door.dataRound, objects: door.objectRound, ...ofKinds }
})
const recoveriesMs: number[] = []
afterAll(async () => {
  await door?.remove()
  const sorted = recoveriesMs.toSorted((one, other) => one - other)
  const [medianMs = 0, mostMs = 0] = [sorted[sorted.length >> 1], sorted.at(-1)]
  console.log(
    `recovered from ${sorted.length} faults, half of them within ${medianMs.toFixed(0)} ms,` +
      ` all within ${mostMs.toFixed(0)} ms`,
  )
  expect(medianMs).toBeLessThan(RECOVERY_MS)
})
// A process that has been restarted waits longer before the next restart.
afterEach(async ({ task }) => {
  const { restarts } = door.hsm().metrics()
  if (task.result?.state === 'fail' || restarts > 0) await door.restart()
})

/** All combinations; in CI a sample. */
function cases(functions: readonly FunctionName[], each: number) {
  const all = functions.flatMap((name) =>
    (Object.keys(CODES) as CodeName[]).flatMap((code) =>
      TIMES.map((occurrence) => ({ name, code, ...occurrence })),
    ),
  )
  return FULL ? all : all.filter((_, at) => at % each === 0)
}

/** The calls of workers: each finds out what its process has to end for. */
const OF_WORKERS: readonly string[] = ['data', 'keys']

describe.skipIf(why !== undefined).each([
  { kind: 'data', functions: DATA },
  { kind: 'objects', functions: OBJECTS },
  { kind: 'keys', functions: KEYS },
  { kind: 'pairs', functions: PAIRS },
  { kind: 'imports', functions: IMPORTS },
] as const)('while it works on $kind', ({ kind, functions }) => {
  test.each(cases(functions, 37))(
    '$name answers $code $when',
    async ({ name, code, from, times }) => {
      const round = rounds[kind]
      await door.untilSound(round, PATIENCE_MS)
      door.faults.arm(name, { does: 'return', code }, { from, times })
      const outcomes = await round()
      expectHonest(outcomes)
      if (from > 1) expectHonest(await round())
      const hits = door.faults.hits(name)
      door.faults.clear()
      recoveriesMs.push(await door.untilSound(round, PATIENCE_MS))
      await door.expectNothingLost()
      expect(door.hsm().state().state).toBe('ready')
      const restarted = door.hsm().metrics().restarts > 0
      if (restarted) expect(door.states).toContain('down')
      if (
        hits > 0 &&
        returnValue(CODES[code]).follows === 'restart process' &&
        OF_WORKERS.includes(kind)
      ) {
        const isSwallowed = name === 'C_CloseSession'
        expect(restarted).toBe(!isSwallowed)
      }
    },
  )
})

test.skipIf(why !== undefined)('no key is blamed by a token that destroys nothing', async () => {
  await door.untilSound(rounds.objects, PATIENCE_MS)
  door.faults.arm('C_DestroyObject', { does: 'return', code: 'CKR_GENERAL_ERROR' })
  for (let turn = 0; turn < 3; turn++) expectHonest(await rounds.objects())
  door.faults.clear()
  await door.untilSound(rounds.objects, PATIENCE_MS)
  await door.expectNothingLost()
})

describe.skipIf(why !== undefined)('while it starts', () => {
  test.each(cases(START, 97))('$name answers $code $when', async ({ name, code, from, times }) => {
    await door.restart()
    door.faults.arm(name, { does: 'return', code }, { from, times })
    process.kill(door.hsm().pid() ?? 0, 'SIGKILL')
    // Some functions are called once only: then it starts without a fault.
    const isHit = () => door.faults.hits(name) > 0
    const isBack = () => door.states.includes('down') && door.states.at(-1) === 'ready'
    await expect.poll(() => isHit() || isBack(), { timeout: PATIENCE_MS }).toBe(true)
    expectHonest(await door.dataRound())
    if (times > 1) {
      expect(door.hsm().state().state).not.toBe('ready')
      expect(door.hsm().state().state).not.toBe('refused')
    }
    door.faults.clear()
    recoveriesMs.push(await door.untilSound(door.dataRound, PATIENCE_MS))
    await door.expectNothingLost()
    expect(door.hsm().state().state).toBe('ready')
    expect(await door.hsm().objects.suite()).toBe(1)
  })
})

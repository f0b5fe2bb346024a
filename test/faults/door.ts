/**
 * A door to an HSM behind the fault module, and rounds of calls through it that hold what they
 * hear against what is true.
 */

import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { Authorised } from '../../src/model/authorised.ts'
import { parseCiphertext } from '../../src/model/ciphertext.ts'
import { KmsError } from '../../src/model/failures.ts'
import { currentBackingKey, type Key } from '../../src/model/key.ts'
import { type HsmHandle, type HsmState, startHsm } from '../../src/pkcs11/client/supervisor.ts'
import type { CallLimits } from '../../src/pkcs11/hsm.ts'
import type { HsmSettings } from '../../src/pkcs11/settings.ts'
import { makeKey, suiteOf } from '../pkcs11/token.ts'
import { type Faults, makeFaultyToken } from './fault-module.ts'

const CONTEXT = Buffer.from('bound to this')
/** More than one round decrypts, each under a derived key of its own. */
const KNOWN = 64
/** For so long all has to go well before it is called sound. */
const SOUND_MS = 60

interface Message {
  readonly key: Authorised<Key>
  readonly plaintext: Buffer
  readonly blob: Buffer
}

/** A call by its name, and what became of it. */
export interface Outcome {
  readonly verb: string
  readonly failure?: KmsError
}

/** A door. */
export interface FaultyDoor {
  readonly faults: Faults
  /** The HSM now: another one after `restart`. */
  hsm(): HsmHandle
  /** The states that the HSM has been in since the last `restart`. */
  readonly states: HsmState['state'][]
  readonly keys: readonly Authorised<Key>[]
  /** Every verb of data, at once. */
  dataRound(limits?: CallLimits): Promise<Outcome[]>
  /** Every verb of object management, one after the other. */
  objectRound(): Promise<Outcome[]>
  /** Repeats rounds until all calls succeed and go on so; answers after how many milliseconds. */
  untilSound(round: () => Promise<Outcome[]>, patienceMs: number): Promise<number>
  /** Holds the token against everything that has been acknowledged. */
  expectNothingLost(): Promise<void>
  /** Stops the HSM and starts it again, with no restarts behind it. */
  restart(): Promise<void>
  remove(): Promise<void>
}

/** Makes a token, keys of both suites in it, and ciphertexts to decrypt. */
export async function makeDoor(change: Partial<HsmSettings> = {}): Promise<FaultyDoor> {
  const token = await makeFaultyToken()
  const { faults } = token
  const states: HsmState['state'][] = []
  // Nearly every encryption derives a key.
  const settings = { ...token.settings, workers: 2, derivedKeyMessagesMax: 2, ...change }
  const start = async (canaryId?: string) => {
    const started = await startHsm({ ...settings, canaryId }, { log: () => undefined })
    states.splice(0, states.length, started.state().state)
    started.onChange(({ state }) => states.push(state))
    return started
  }
  let handle = await start()
  const canaryId = await handle.objects.createCanary()
  const keys = [
    await makeKey(handle.objects),
    await makeKey(handle.objects),
    await makeKey(handle.objects, { suite: 2 }),
  ]
  const messages: Message[] = []
  const rounds = roundsOver(() => handle, keys, messages)
  for (let count = 0; count < KNOWN; count++) await rounds.encrypt(keys[count % keys.length])

  return {
    faults,
    hsm: () => handle,
    states,
    keys,
    dataRound: rounds.data,
    objectRound: rounds.objects,
    async untilSound(round, patienceMs) {
      const startMs = performance.now()
      let soundMs: number | undefined
      for (;;) {
        const pid = handle.pid()
        const outcomes = await round()
        expectHonest(outcomes)
        const tookMs = performance.now() - startMs
        const [failed] = outcomes.filter(({ failure }) => failure !== undefined)
        // One worker may do while the other has found out that the process has to end.
        if (failed !== undefined) soundMs = undefined
        else if (soundMs === undefined) soundMs = tookMs
        else if (tookMs - soundMs > SOUND_MS && handle.pid() === pid) return soundMs
        if (failed !== undefined && tookMs > patienceMs) {
          const { state, reason } = handle.state()
          const why = `${failed.failure?.cause}; ${state}: ${reason}; ${states}`
          throw new Error(`${failed.verb} still fails after ${patienceMs} ms: ${why}`)
        }
        await sleep(20)
      }
    },
    expectNothingLost: rounds.expectNothingLost,
    async restart() {
      faults.clear()
      await handle.stop()
      handle = await start(canaryId)
    },
    async remove() {
      faults.clear()
      await handle.stop()
      token.remove()
    },
  }
}

const HONEST = ['KMSInternalException', 'DependencyTimeoutException']

/** No fault of the HSM is blamed on the caller, on a ciphertext or on a missing key. */
export function expectHonest(outcomes: readonly Outcome[]): void {
  for (const { verb, failure } of outcomes) {
    if (failure === undefined) continue
    const why = `${verb}: ${failure.cause ?? failure}`
    expect(HONEST, why).toContain(failure.name)
    expect(failure.grpc, why).toBe('UNAVAILABLE')
  }
}

function roundsOver(hsm: () => HsmHandle, keys: readonly Authorised<Key>[], messages: Message[]) {
  const made = new Set<string>()
  const destroyed = new Set<string>()
  let turn = 0

  async function encrypt(key: Authorised<Key> | undefined, limits: CallLimits = {}) {
    if (key === undefined) return
    const plaintext = randomBytes(1 + (turn++ % 100))
    const blob = await hsm().hsm.encrypt(key, { plaintext, context: CONTEXT }, limits)
    messages.push({ key, plaintext, blob })
  }

  async function decrypt(message: Message | undefined, limits: CallLimits = {}) {
    if (message === undefined) return
    const { key, plaintext, blob } = message
    const input = { ciphertext: parseCiphertext(blob), context: CONTEXT }
    expect(await hsm().hsm.decrypt(key, input, limits)).toEqual(plaintext)
  }

  async function reEncrypt(message: Message, key: Authorised<Key>, limits: CallLimits) {
    const source = { key: message.key, ciphertext: parseCiphertext(message.blob), context: CONTEXT }
    const blob = await hsm().hsm.reEncrypt(source, { key, context: CONTEXT }, limits)
    messages.push({ key, plaintext: message.plaintext, blob })
  }

  async function generateDataKey(key: Authorised<Key>, limits: CallLimits) {
    const input = { numberOfBytes: 32, context: CONTEXT }
    const { plaintext, ciphertextBlob } = await hsm().hsm.generateDataKey(key, input, limits)
    expect(new Set(plaintext).size).toBeGreaterThan(1)
    messages.push({ key, plaintext, blob: ciphertextBlob })
  }

  async function generateBackingKey() {
    const id = randomBytes(16).toString('hex')
    await hsm().objects.generateBackingKey({ id, label: 'keyslot round 1', suite: 1 })
    made.add(id)
  }

  async function destroyBackingKey() {
    const [id] = made
    if (id === undefined) return
    // Whatever comes of it: it may have happened.
    made.delete(id)
    await hsm().objects.destroyBackingKey(id)
    destroyed.add(id)
  }

  async function list() {
    const listed = new Set((await hsm().objects.listBackingKeys()).map(({ id }) => id))
    for (const key of keys) expect(listed).toContain(currentBackingKey(key).id)
    for (const id of made) expect(listed).toContain(id)
    for (const id of destroyed) expect(listed).not.toContain(id)
  }

  async function prove(key: Authorised<Key> | undefined) {
    if (key === undefined) return
    const current = currentBackingKey(key)
    const material = { id: current.id, suite: suiteOf(current) }
    expect(await hsm().objects.provesBackingKey(material)).toBe(true)
  }

  return {
    encrypt,
    async data(limits: CallLimits = {}): Promise<Outcome[]> {
      const [one, other, direct] = keys
      const somewhere = () => messages[turn++ % messages.length]
      const from = somewhere()
      const calls = [
        outcome('encrypt', encrypt(one, limits)),
        outcome('decrypt', decrypt(somewhere(), limits)),
        outcome('encrypt in suite 2', encrypt(direct, limits)),
        outcome('decrypt', decrypt(somewhere(), limits)),
        outcome('encrypt', encrypt(other, limits)),
        outcome('decrypt', decrypt(somewhere(), limits)),
        outcome('generateRandom', hsm().hsm.generateRandom(32, limits)),
      ]
      if (one && other && from) {
        calls.push(outcome('generateDataKey', generateDataKey(other, limits)))
        calls.push(outcome('reEncrypt', reEncrypt(from, one, limits)))
      }
      return Promise.all(calls)
    },
    async objects(): Promise<Outcome[]> {
      return [
        await outcome('generateBackingKey', generateBackingKey()),
        await outcome('provesBackingKey', prove(keys[turn++ % keys.length])),
        await outcome('listBackingKeys', list()),
        await outcome('destroyBackingKey', destroyBackingKey()),
        await outcome('decrypt', decrypt(messages[turn++ % messages.length])),
      ]
    },
    async expectNothingLost() {
      await list()
      await Promise.all(messages.slice(-200).map((message) => decrypt(message)))
      for (const id of made) {
        expect(await hsm().objects.provesBackingKey({ id, suite: 1 })).toBe(true)
      }
    },
  }
}

/** Only what a caller may see is an outcome: everything else fails the test. */
export async function outcome(verb: string, call: Promise<unknown>): Promise<Outcome> {
  try {
    await call
    return { verb }
  } catch (failure) {
    if (failure instanceof KmsError) return { verb, failure }
    throw failure
  }
}

/**
 * Load on a service that is killed under it: what the service has acknowledged, and the laws that
 * must hold of it afterwards, whatever was killed when.
 */

import { expect } from 'vitest'
import { KeyslotError } from '../../src/client/error.ts'
import { type ServiceProcess, sleep } from './service-process.ts'

/** Of what a round before has looked at already, so much is looked at again; at the end, all. */
const SAMPLE = 20
/** Keys that are looked at at once: the service syncs what it records of them together. */
const AT_ONCE = 16

/** A key as its callers know it. */
interface KnownKey {
  /** Acknowledged, and asked for. */
  rotated: { acknowledged: number; attempted: number }
  /** Acknowledged; `undefined` while the last change of it may have happened or not. */
  state: 'Enabled' | 'Disabled' | 'PendingDeletion' | undefined
}

interface KnownCiphertext {
  readonly keyId: string | undefined
  readonly plaintext: Buffer
  readonly ciphertextBlob: Buffer
}

/** Load that is running. */
export interface RunningLoad {
  readonly failures: readonly KeyslotError[]
  /** Ends when the calls under way have. */
  stop(): Promise<void>
}

/** A service and everything that it has acknowledged. */
export interface Acknowledged {
  /** How many ciphertexts. */
  readonly size: number
  /** Creates, rotates, encrypts, disables and deletes without pause. */
  load(): RunningLoad
  /** @param which `all`, or what is new since the last time and a sample of the rest. */
  expectNothingLost(which: 'all' | 'sample'): Promise<void>
}

/** Begins to keep account of what a service acknowledges. */
export function accountOf(service: ServiceProcess): Acknowledged {
  const ciphertexts: KnownCiphertext[] = []
  const keys = new Map<string, KnownKey>()
  let count = 0
  /** How many of each have been looked at. */
  const seen = { keys: 0, ciphertexts: 0 }

  const call: typeof service.client.call = (name, request) => service.client.call(name, request)

  async function encrypt(keyId: string | undefined): Promise<void> {
    count += 1
    const plaintext = Buffer.from(`message ${count}`)
    const { ciphertextBlob } = await call('Encrypt', { keyId: keyId ?? 'alias/dev', plaintext })
    ciphertexts.push({ keyId, plaintext, ciphertextBlob })
  }

  async function change(): Promise<void> {
    const { keyMetadata } = await call('CreateKey', {})
    const keyId = keyMetadata?.keyId ?? ''
    const known: KnownKey = { rotated: { acknowledged: 0, attempted: 0 }, state: 'Enabled' }
    keys.set(keyId, known)
    await encrypt(keyId)
    known.rotated.attempted += 1
    await call('RotateKeyOnDemand', { keyId })
    known.rotated.acknowledged += 1
    await encrypt(keyId)
    if (keys.size % 3 === 0) {
      known.state = undefined
      await call('DisableKey', { keyId })
      known.state = 'Disabled'
    } else if (keys.size % 3 === 1) {
      known.state = undefined
      await call('ScheduleKeyDeletion', { keyId, pendingWindowInDays: 7 })
      known.state = 'PendingDeletion'
    }
  }

  async function expectKeyKept([keyId, { rotated, state }]: [string, KnownKey]): Promise<void> {
    const { keyMetadata } = await call('DescribeKey', { keyId })
    if (state !== undefined) expect(keyMetadata?.keyState).toBe(state)
    if (keyMetadata?.keyState === 'PendingDeletion') return
    const { rotations } = await call('ListKeyRotations', { keyId })
    expect(rotations.length).toBeGreaterThanOrEqual(rotated.acknowledged)
    expect(rotations.length).toBeLessThanOrEqual(rotated.attempted)
  }

  async function expectCiphertextKept(known: KnownCiphertext): Promise<void> {
    const { plaintext } = await call('Decrypt', { ciphertextBlob: known.ciphertextBlob })
    expect(plaintext).toEqual(known.plaintext)
  }

  /** Opens what a change has closed, for as long as it takes. */
  async function whileEnabled(keyId: string | undefined, use: () => Promise<void>): Promise<void> {
    if (keyId === undefined) return use()
    const { keyMetadata } = await call('DescribeKey', { keyId })
    const state = keyMetadata?.keyState
    if (state === 'PendingDeletion') await call('CancelKeyDeletion', { keyId })
    if (state !== 'Enabled') await call('EnableKey', { keyId })
    await use()
    if (state === 'Disabled') await call('DisableKey', { keyId })
    if (state === 'PendingDeletion') {
      await call('ScheduleKeyDeletion', { keyId, pendingWindowInDays: 7 })
    }
  }

  return {
    get size() {
      return ciphertexts.length
    },
    load() {
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
      const callers = [
        until(() => encrypt(undefined)),
        until(() => encrypt(undefined)),
        until(change),
      ]
      return {
        failures,
        async stop() {
          stopped = true
          await Promise.all(callers)
        },
      }
    },
    async expectNothingLost(which) {
      const chosen = <T>(all: readonly T[], old: number): readonly T[] =>
        which === 'all' ? all : [...all.slice(old), ...sampleOf(all.slice(0, old), SAMPLE)]
      await forEach(chosen([...keys], seen.keys), expectKeyKept)
      const chosenCiphertexts = chosen(ciphertexts, seen.ciphertexts)
      const byKey = Map.groupBy(chosenCiphertexts, ({ keyId }) => keyId)
      await forEach([...byKey], ([keyId, those]) =>
        whileEnabled(keyId, () => forEach(those, expectCiphertextKept)),
      )
      seen.keys = keys.size
      seen.ciphertexts = ciphertexts.length
    },
  }
}

async function forEach<T>(all: readonly T[], look: (one: T) => Promise<void>): Promise<void> {
  const left = all.values()
  const lookOn = async () => {
    for (const one of left) await look(one)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lookOn))
}

function sampleOf<T>(all: readonly T[], most: number): readonly T[] {
  const step = Math.max(1, Math.ceil(all.length / most))
  return all.filter((_, at) => at % step === 0)
}

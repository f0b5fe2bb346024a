/**
 * A door process to a slow token, for the tests: does what its argument says and prints what it
 * saw, as JSON.
 */

import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseCiphertext } from '../../src/model/ciphertext.ts'
import type { HsmSettings } from '../../src/pkcs11/settings.ts'
import { makeKey, openPair } from '../lifecycle/pair.ts'
import { type EventLoopTurns, watchEventLoop } from './event-loop.ts'

/** What to do. */
export type SlowTask = { readonly settings: HsmSettings; readonly path: string } & (
  | { readonly does: 'round trips'; readonly count: number }
  | { readonly does: 'throughput'; readonly forMs: number }
)

/** What it saw. */
export interface SlowReport {
  /** Ciphertexts that did not decrypt to what went in. */
  readonly wrong: number
  readonly right: number
  readonly callsPerSecond: number
  /** What the event loop did while throughput was measured. */
  readonly turns?: EventLoopTurns
}

const SIZES = [32, 4096] as const
const AT_ONCE = 64
const COLLECT_EVERY_MS = 20
const CONTEXT = Buffer.from('slow')

const task: SlowTask = JSON.parse(process.argv[2] ?? '')
const pair = await openPair(task.settings, task.path)
const key = await makeKey(pair.services)
const { hsm } = pair.hsm
const encrypt = (plaintext: Buffer) => hsm.encrypt(key, { plaintext, context: CONTEXT }, {})

let right = 0
let wrong = 0
const isOver = task.does === 'round trips' ? roundTrips(task.count) : throughput(task.forMs)
const { startMs, endMs, turns } = await isOver
await pair.close()
const report: SlowReport = {
  right,
  wrong,
  callsPerSecond: Math.round((right + wrong) / ((endMs - startMs) / 1000)),
  turns,
}
console.log(JSON.stringify(report))

/** Encrypts and decrypts while garbage is collected all the time. */
async function roundTrips(count: number) {
  const collect = globalThis.gc
  if (collect === undefined) throw new Error('started without --expose-gc')
  const collecting = setInterval(() => void collect(), COLLECT_EVERY_MS)
  const startMs = performance.now()
  let left = count
  const callers = Array.from({ length: AT_ONCE }, async () => {
    while (left > 0) {
      const plaintext = randomBytes(SIZES[left-- % SIZES.length] ?? 32)
      const kept = Buffer.from(plaintext)
      const ciphertext = parseCiphertext(await encrypt(plaintext))
      const opened = await hsm.decrypt(key, { ciphertext, context: CONTEXT }, {})
      if (opened.equals(kept)) right += 1
      else wrong += 1
    }
  })
  await Promise.all(callers)
  clearInterval(collecting)
  return { startMs, endMs: performance.now(), turns: undefined }
}

/** Encrypts as fast as the token lets it. */
async function throughput(forMs: number) {
  const plaintext = randomBytes(32)
  let isEnd = false
  const callers = Array.from({ length: AT_ONCE }, async () => {
    while (!isEnd) {
      await encrypt(plaintext)
      right += 1
    }
  })
  // The first calls of each worker load its code.
  while (right < AT_ONCE * (task.settings.workers ?? 1)) await sleep(20)
  right = 0
  const watch = watchEventLoop()
  const startMs = performance.now()
  await sleep(forMs)
  const endMs = performance.now()
  const counted = right
  const turns = watch.stop()
  isEnd = true
  await Promise.all(callers)
  right = counted
  return { startMs, endMs, turns }
}

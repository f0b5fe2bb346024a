/**
 * Whether the time that taking a padding off takes tells what is wrong with it: Welch's t of each
 * kind of spoilt block against those of another first byte, which Manger's attack has to tell
 * apart. Beyond 4.5 either way something shows (Goodwill and others, "A testing methodology for
 * side-channel resistance validation", 2011). The slowest twentieth of all is left out: it is what
 * else the machine does.
 *
 * `npm run timing`, where nothing else runs; the number of blocks of each kind may be given.
 */

import { randomBytes } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { type OaepHash, oaepMessage } from '../../src/pkcs11/import/oaep.ts'
import { encoded, spoiltBlocks } from './oaep-blocks.ts'

const BLOCK_BYTES = 256
const POOL = 256
const WARM_UP = 20_000
const ROUNDS = Number(process.argv[2] ?? 100_000)
const KEPT = 0.95
const REFERENCE = 'another first byte'

interface Kind {
  readonly name: string
  readonly pool: readonly Buffer[]
  /** How long each took, in nanoseconds. */
  readonly times: number[]
}

for (const hash of ['sha1', 'sha256'] as const) {
  const kinds = kindsOf(hash)
  measure(hash, kinds)
  print(hash, kinds)
}

function kindsOf(hash: OaepHash): readonly Kind[] {
  const spoilt = spoiltBlocks(hash, BLOCK_BYTES)
  const makers = {
    ...spoilt,
    // How far two of one kind come apart.
    [`${REFERENCE}, again`]: spoilt[REFERENCE] ?? (() => Buffer.alloc(BLOCK_BYTES)),
    // Whoever asks is told of these anyway.
    'nothing wrong': () => encoded(hash, BLOCK_BYTES),
  }
  return Object.entries(makers).map(([name, make]) => ({
    name,
    pool: Array.from({ length: POOL }, make),
    times: [],
  }))
}

/** Takes kinds and blocks by chance, so that none always comes after the same. */
function measure(hash: OaepHash, kinds: readonly Kind[]): void {
  let chance = Buffer.alloc(0)
  let at = 0
  for (let round = -WARM_UP; round < ROUNDS * kinds.length; round++) {
    if (at + 2 > chance.length) {
      chance = randomBytes(65_536)
      at = 0
    }
    const kind = kinds[(chance[at] ?? 0) % kinds.length]
    const block = kind?.pool[chance[at + 1] ?? 0]
    at += 2
    if (kind === undefined || block === undefined) continue
    const beganMs = performance.now()
    const message = oaepMessage(block, hash)
    const tookMs = performance.now() - beganMs
    message?.fill(0)
    if (round >= 0) kind.times.push(tookMs * 1e6)
  }
}

function print(hash: OaepHash, kinds: readonly Kind[]): void {
  const all = kinds.flatMap(({ times }) => times).toSorted((one, other) => one - other)
  const most = all[Math.floor(KEPT * all.length)] ?? 0
  const kept = kinds.map(({ name, times }) => ({
    name,
    ...momentsOf(times.filter((time) => time < most)),
  }))
  const reference = kept.find(({ name }) => name === REFERENCE)
  if (reference === undefined) return
  console.log(`OAEP with ${hash}, about ${ROUNDS} blocks of each kind`)
  for (const { name, ...moments } of kept) {
    const t = name === REFERENCE ? '' : `   t = ${welch(reference, moments).toFixed(2)}`
    console.log(`  ${name.padEnd(28)} ${moments.mean.toFixed(1).padStart(9)} ns${t}`)
  }
}

interface Moments {
  readonly count: number
  readonly mean: number
  readonly variance: number
}

function momentsOf(times: readonly number[]): Moments {
  const count = times.length
  const mean = times.reduce((sum, time) => sum + time, 0) / count
  const squares = times.reduce((sum, time) => sum + (time - mean) ** 2, 0)
  return { count, mean, variance: squares / (count - 1) }
}

function welch(one: Moments, other: Moments): number {
  const share = ({ variance, count }: Moments) => variance / count
  return (one.mean - other.mean) / Math.sqrt(share(one) + share(other))
}

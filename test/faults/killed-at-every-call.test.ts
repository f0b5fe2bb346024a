/**
 * The HSM process killed at every single call of the module that the making of a key consists of,
 * before the call and after it: of a pair, and of a secret that makes MACs. One reconciliation
 * leaves nothing half made in use, no object without an explanation, and loses nothing. With
 * KEYSLOT_FAULTS=full, every call.
 */

import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { createKey } from '../../src/lifecycle/create.ts'
import { reconcile } from '../../src/lifecycle/reconcile.ts'
import type { KeyKind } from '../../src/model/key-specs.ts'
import { expectWhole } from '../lifecycle/fixture.ts'
import { decrypt, encrypt, keyInput, makeKey, openPair, type Pair } from '../lifecycle/pair.ts'
import {
  type FaultyToken,
  FUNCTIONS,
  type FunctionName,
  makeFaultyToken,
  whyNoFaultModule,
} from './fault-module.ts'

const FULL = process.env.KEYSLOT_FAULTS === 'full'
/** In CI, of so many points one. */
const SAMPLE = 31
const PATIENCE_MS = 20_000

const KINDS: readonly KeyKind[] = [
  { spec: 'RSA_2048', usage: 'SIGN_VERIFY' },
  { spec: 'ECC_NIST_P256', usage: 'SIGN_VERIFY' },
  { spec: 'HMAC_256', usage: 'GENERATE_VERIFY_MAC' },
]

/** A call while a key is made: the n-th of a function. */
interface Point {
  readonly kind: KeyKind
  readonly name: FunctionName
  readonly from: number
  readonly when: 'before' | 'afterwards'
}

const why = whyNoFaultModule()
if (why !== undefined) console.log(`skipped: ${why}`)

let token: FaultyToken
let pair: Pair
let blob = ''
const points: Point[] = []
if (why === undefined) {
  token = await makeFaultyToken()
  pair = await openPair(token.settings, join(token.directory, 'keyslot.db'))
  blob = await encrypt(pair, await makeKey(pair.services))
  for (const kind of KINDS) points.push(...(await pointsOf(kind)))
  console.log(`${points.length} points at which to kill`)
}

// A process that has been restarted waits longer before the next restart.
beforeEach(async () => {
  if (pair?.hsm.metrics().restarts === 0) return
  await pair?.close()
  pair = await openPair(token.settings, join(token.directory, 'keyslot.db'))
})
afterAll(async () => {
  await pair?.close()
  token?.remove()
})

describe.skipIf(why !== undefined)('the HSM process is killed while a key is made', () => {
  const chosen = FULL ? points : points.filter((_, at) => at % SAMPLE === 0)
  test.each(chosen)('$kind.spec: $when $name number $from', async ({ kind, name, from, when }) => {
    const pid = pair.hsm.pid()
    token.faults.arm(name, { does: 'kill', when }, { from, times: 1 })
    const made = await make(kind).catch((cause: unknown) => {
      expect(cause).toHaveProperty('name', 'KMSInternalException')
      return undefined
    })
    await expect.poll(() => pair.hsm.pid() !== pid, { timeout: PATIENCE_MS }).toBe(true)
    token.faults.clear()
    const isReady = () => pair.hsm.state().state === 'ready'
    await expect.poll(isReady, { timeout: PATIENCE_MS, interval: 20 }).toBe(true)
    const report = await reconcile(pair.services, { patienceMs: 0 })
    expect(report).toMatchObject({ waiting: [], unexplained: [], missing: [], returned: [] })
    await expectWhole(pair)
    expect(await decrypt(pair, blob)).toMatch(/^for /)
    if (made === undefined) return
    expect(await pair.store.keys.find(made.keyId)).toMatchObject({ state: 'Enabled' })
  })
})

function make(kind: KeyKind) {
  return createKey(pair.services, { ...keyInput, ...kind })
}

/** Every call that the making of a key of this kind consists of. */
async function pointsOf(kind: KeyKind): Promise<Point[]> {
  const before = FUNCTIONS.map((name) => token.faults.calls(name))
  await make(kind)
  return FUNCTIONS.flatMap((name, at) => {
    const calls = token.faults.calls(name) - (before[at] ?? 0)
    return Array.from({ length: calls }, (_, call) => call + 1).flatMap((from) =>
      (['before', 'afterwards'] as const).map((when) => ({ kind, name, from, when })),
    )
  })
}

/**
 * Processes killed at every step of an import and of a removal. After one reconciliation no key is
 * usable by half: it has its material, or waits for it; and the same material brings back what
 * was encrypted under it.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, describe, expect, test } from 'vitest'
import { reconcile, settleInterrupted } from '../../../src/lifecycle/reconcile.ts'
import { gone } from '../dying.ts'
import { expectWhole, makePair } from '../fixture.ts'
import { authorised, DAY_MS, decrypt, encrypt, openPair } from '../pair.ts'
import type { ChildTask } from './child.ts'
import { importInto } from './owner.ts'

interface Said {
  readonly hsmPid?: number
  readonly keyId?: string
  readonly material?: string
  /** Encrypted under material that was acknowledged. */
  readonly blob?: string
}

const waits = 'PendingImport'
const POINTS = [
  { change: 'import', point: 'after addWrappingKey', killHsm: false, end: waits },
  { change: 'import', point: 'during makeWrappingKey', killHsm: true, end: waits },
  { change: 'import', point: 'after makeWrappingKey', killHsm: false, end: waits },
  { change: 'import', point: 'after checkMaterial', killHsm: false, end: waits },
  { change: 'import', point: 'after beginImport', killHsm: false, end: waits },
  { change: 'import', point: 'during importBackingKey', killHsm: true, end: 'either' },
  { change: 'import', point: 'after importBackingKey', killHsm: false, end: 'Enabled' },
  { change: 'import', point: 'after finishMaterial', killHsm: false, end: 'Enabled' },
  { change: 'reimport', point: 'after beginImport', killHsm: false, end: waits },
  { change: 'reimport', point: 'during importBackingKey', killHsm: true, end: 'either' },
  { change: 'reimport', point: 'after importBackingKey', killHsm: false, end: 'Enabled' },
  { change: 'remove', point: 'after beginRemoval', killHsm: false, end: waits },
  { change: 'remove', point: 'during destroyBackingKey', killHsm: true, end: waits },
  { change: 'remove', point: 'after destroyBackingKey', killHsm: false, end: waits },
  { change: 'remove', point: 'after finishRemoval', killHsm: false, end: waits },
] as const

let nowMs = Date.now()
const clock = () => nowMs
const { token, settings, path, pair: first } = await makePair({}, clock)
await first.close()
const lives: Said[] = []
for (const { change, point, killHsm } of POINTS) {
  lives.push(await runChild({ settings, path, change, point, killHsm }))
}
const pair = await openPair(settings, path, clock)
const report = await reconcile(pair.services, { patienceMs: 0 })
afterAll(async () => {
  await pair.close()
  token.remove()
})

test('all changes have ended, all objects have their rows, all keys that work, work', async () => {
  const calm = { waiting: [], unexplained: [], missing: [], returned: [], strayWrappingKeys: [] }
  expect(report).toMatchObject(calm)
  await expectWhole(pair)
})

describe.each(POINTS.map((point, at) => ({ ...point, said: lives[at] ?? {} })))(
  'a kill $point of $change (HSM process too: $killHsm)',
  ({ end, said }) => {
    test(`leaves the key ${end}, and its material whole`, async () => {
      const { keyId = '', material = '', blob } = said
      const key = authorised(await pair.store.keys.find(keyId))
      expect(end === 'either' ? ['PendingImport', 'Enabled'] : [end]).toContain(key.state)
      const again = await importInto(pair.services, key, Buffer.from(material, 'hex'))
      expect(again.state).toBe('Enabled')
      expect(again.backingKeys).toHaveLength(1)
      if (blob !== undefined) expect(await decrypt(pair, blob)).toBe(`for ${keyId}`)
      expect(await decrypt(pair, await encrypt(pair, again))).toBe(`for ${keyId}`)
    })
  },
)

test('no wrapping key outlives its day', async () => {
  expect((await pair.hsm.objects.listWrappingKeys()).length).toBeGreaterThan(0)
  // The children have gone by the machine's clock.
  nowMs = Date.now() + DAY_MS
  await settleInterrupted(pair.services)
  expect(await pair.hsm.objects.listWrappingKeys()).toEqual([])
  await expectWhole(pair)
})

/** Runs a child to its death; answers what it said. */
async function runChild(task: ChildTask): Promise<Said> {
  const program = join(import.meta.dirname, 'child.ts')
  const child = spawn(process.execPath, [program, JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said: Said = {}
  createInterface({ input: child.stdout }).on('line', (line) => {
    said = { ...said, ...JSON.parse(line) }
  })
  const [, signal] = await once(child, 'close')
  if (signal !== 'SIGKILL') throw new Error(`the child ended before ${task.point}`)
  await gone(said.hsmPid ?? 0)
  return said
}

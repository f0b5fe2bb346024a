/**
 * Processes killed at every step of every change. After one reconciliation nothing that they had
 * acknowledged is lost, no object is without a row, and no key works by half.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, describe, expect, test } from 'vitest'
import { reconcile } from '../../src/lifecycle/reconcile.ts'
import type { ChildTask } from './child.ts'
import { gone } from './dying.ts'
import { expectWhole, makePair } from './fixture.ts'
import { decrypt, openPair } from './pair.ts'

interface Said {
  readonly hsmPid?: number
  /** Acknowledged. */
  readonly keyId?: string
  readonly blob?: string
  /** Not acknowledged. */
  readonly changing?: string
}

const POINTS = [
  { change: 'create', point: 'after beginCreate', killHsm: false, end: 'abandoned' },
  { change: 'create', point: 'during generateBackingKey', killHsm: true, end: 'either' },
  { change: 'create', point: 'after generateBackingKey', killHsm: false, end: 'finished' },
  { change: 'create', point: 'after finishMaterial', killHsm: false, end: 'done' },
  { change: 'rotate', point: 'after beginRotate', killHsm: false, end: 'abandoned' },
  { change: 'rotate', point: 'during generateBackingKey', killHsm: true, end: 'either' },
  { change: 'rotate', point: 'after generateBackingKey', killHsm: false, end: 'finished' },
  { change: 'rotate', point: 'after finishMaterial', killHsm: false, end: 'done' },
  { change: 'destroy', point: 'after beginDestroy', killHsm: false, end: 'destroyed' },
  { change: 'destroy', point: 'during destroyBackingKey', killHsm: true, end: 'destroyed' },
  { change: 'destroy', point: 'after destroyBackingKey', killHsm: false, end: 'destroyed' },
  { change: 'destroy', point: 'after finishDestroy', killHsm: false, end: 'done' },
] as const

const { token, settings, path, pair: first } = await makePair()
await first.close()
const lives: Said[][] = []
for (const { change, point, killHsm } of POINTS) {
  lives.push(await runChild({ settings, path, change, point, killHsm }))
}
const pair = await openPair(settings, path)
const report = await reconcile(pair.services, { patienceMs: 0 })
afterAll(async () => {
  await pair.close()
  token.remove()
})

test('all changes have ended, all objects have their rows, all keys work', async () => {
  expect(report).toMatchObject({ waiting: [], unexplained: [], missing: [], returned: [] })
  await expectWhole(pair)
})

describe.each(POINTS.map((point, at) => ({ ...point, said: lives[at] ?? [] })))(
  'a kill $point of $change (HSM process too: $killHsm)',
  ({ change, end, said }) => {
    const changing = said.find((line) => line.changing !== undefined)?.changing ?? ''

    test(`leaves it ${end}`, async () => {
      const outcomes = (['finished', 'abandoned', 'destroyed'] as const).filter((outcome) =>
        report[outcome].includes(changing),
      )
      if (end === 'done') expect(changing).toBe('')
      else if (end === 'either') expect(['finished', 'abandoned']).toContain(outcomes[0])
      else expect(outcomes).toEqual([end])
      const gone = change === 'rotate' ? false : outcomes[0] !== 'finished'
      if (changing !== '') {
        expect((await pair.store.keys.find(changing)) === undefined).toBe(gone)
      }
    })

    test('loses nothing that was acknowledged', async () => {
      for (const { keyId, blob } of said) {
        if (blob !== undefined) expect(await decrypt(pair, blob)).toBe(`for ${keyId}`)
      }
    })
  },
)

/** Runs a child to its death; answers what it said. */
async function runChild(task: ChildTask): Promise<Said[]> {
  const program = join(import.meta.dirname, 'child.ts')
  const child = spawn(process.execPath, [program, JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const said: Said[] = []
  createInterface({ input: child.stdout }).on('line', (line) => said.push(JSON.parse(line)))
  const [, signal] = await once(child, 'close')
  if (signal !== 'SIGKILL') throw new Error(`the child ended before ${task.point}`)
  await gone(said[0]?.hsmPid ?? 0)
  return said
}

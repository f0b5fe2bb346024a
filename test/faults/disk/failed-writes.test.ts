/**
 * Every write, sync, truncation, renaming and removal fails once, below the door process and below
 * the HSM process, during every change: no false acknowledgement, nothing that was acknowledged
 * lost, no change left without an end, and the next call works. With KEYSLOT_FAULTS=full, each of
 * them in turn; else a sample.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { KeyslotError } from '../../../src/client/error.ts'
import { MATCHING, reconcileLeftBehind } from '../../service/left-behind.ts'
import { whyNoFaultModule } from '../fault-module.ts'
import { CHANGES, type Change } from './changes.ts'
import type { DiskFault } from './failing-disk.ts'
import { type ServiceOnDisk, serviceOnDisk } from './service.ts'

const FULL = process.env.KEYSLOT_FAULTS === 'full'
/** Operations of one change that are made to fail, in a usual run. */
const SAMPLE = 1
/** From so many operations on, each fails in one way, and the next in the other. */
const MANY = 500
const FAULTS: readonly DiskFault[] = ['EIO', 'ENOSPC halfway']
const HONEST = ['KMSInternalException', 'DependencyTimeoutException']
const CHANGE_MS = 3_600_000

const why = whyNoFaultModule()

let service: ServiceOnDisk
beforeAll(async () => {
  if (why !== undefined) return
  service = serviceOnDisk()
  await service.start()
})
afterAll(() => service?.remove())

/** Answers the failure of a change, which has to be one that blames nobody else. */
async function failureOf(change: () => Promise<unknown>): Promise<KeyslotError | undefined> {
  try {
    await change()
    return undefined
  } catch (cause) {
    if (!(cause instanceof KeyslotError)) throw cause
    expect(HONEST, `${cause}`).toContain(cause.name)
    return cause
  }
}

describe.skipIf(why !== undefined).each(['door', 'hsm'] as const)(
  'below the %s process',
  (side) => {
    const kept: { readonly what: string; readonly holds: () => Promise<void> }[] = []

    test.each(Object.entries(CHANGES))(
      'during %s',
      { timeout: CHANGE_MS },
      async (name, prepare) => {
        const operations = await operationsOf(prepare)
        let [failed, refused] = [0, 0]
        for (const { from, fault } of cases(operations)) {
          const { change, holds } = await prepare(service)
          const disk = service.disks[side]
          disk.arm(fault, { from, times: 1 })
          const failure = await failureOf(change)
          const what = `${name}, ${from} of ${operations}: ${fault} of ${disk.failed()}; ${failure}`
          failed += disk.hits()
          if (failure !== undefined) refused += 1
          disk.clear()
          await service.untilItServes()
          const check = { what, holds: () => holds(failure === undefined) }
          await expectHolds(check)
          kept.push(check)
        }
        console.log(
          `${name}: ${operations} operations of the ${side}'s disk; ${failed} failed, with which` +
            ` ${refused} calls did`,
        )
      },
    )

    test('what is left matches, and is kept by the next process', {
      timeout: CHANGE_MS,
    }, async () => {
      await service.kill()
      expect(await reconcileLeftBehind(service.home)).toMatchObject(MATCHING)
      await service.start()
      for (const check of kept) await expectHolds(check)
    })

    async function operationsOf(prepare: Change): Promise<number> {
      const disk = service.disks[side]
      const { change } = await prepare(service)
      const before = disk.calls()
      await change()
      return disk.calls() - before
    }
  },
)

async function expectHolds({ what, holds }: { what: string; holds: () => Promise<void> }) {
  await holds().catch((cause: unknown) => {
    throw new Error(`after ${what}: ${cause}`, { cause })
  })
}

/** Every operation; or some of them, spread over the change. */
function cases(operations: number): readonly { from: number; fault: DiskFault }[] {
  const all = Array.from({ length: operations }, (_, at) => at + 1).flatMap((from) =>
    FAULTS.filter((_, way) => operations < MANY || way === from % FAULTS.length).map((fault) => ({
      from,
      fault,
    })),
  )
  const step = FULL ? 1 : Math.ceil(all.length / SAMPLE)
  return all.filter((_, at) => at % step === Math.floor(step / 2))
}

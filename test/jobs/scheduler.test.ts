/** The rounds of the jobs: one at a time, and none after the stop. */

import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { JobParts } from '../../src/jobs/job.ts'
import { startScheduler } from '../../src/jobs/scheduler.ts'
import { temporaryStore } from '../store/fixture.ts'

let opened: Awaited<ReturnType<typeof temporaryStore>>
beforeEach(async () => {
  opened = await temporaryStore()
})
afterEach(() => opened.end())

/** Jobs that find nothing due; their first part lasts until it is let go. */
function heldJobs() {
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>()
  const began: string[] = []
  const failed: string[] = []
  const parts: JobParts = {
    pipeline: { call: () => Promise.reject(new Error('nothing is due')) },
    store: opened.store,
    clock: () => 1000,
    async settle() {
      began.push('settle')
      await held
    },
    reconcile: async () => began.push('reconcile'),
    onFailure: (job) => failed.push(job),
  }
  return { parts, began, failed, letGo }
}

test('a round that takes long leaves turns out', async () => {
  const { parts, began, failed, letGo } = heldJobs()
  const scheduler = startScheduler(parts, 5)
  await setTimeout(60)
  expect(began).toEqual(['settle'])
  letGo()
  await setTimeout(60)
  expect(began.length).toBeGreaterThan(1)
  // Those that were left out do not follow all at once.
  expect(began.length).toBeLessThan(16)
  await scheduler.stop()
  expect(failed).toEqual([])
})

test('a stop waits for what is under way, and lets nothing begin', async () => {
  const { parts, began, letGo } = heldJobs()
  const scheduler = startScheduler(parts, 60_000)
  const round = scheduler.runOnce()
  await setTimeout(1)
  let isStopped = false
  const stopped = scheduler.stop().then(() => {
    isStopped = true
  })
  await setTimeout(20)
  expect(isStopped).toBe(false)
  letGo()
  await Promise.all([round, stopped])
  expect(began).toEqual(['settle'])
})

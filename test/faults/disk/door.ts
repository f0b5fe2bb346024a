/**
 * A whole service as a process of its own, whose HSM process has a disk that can be made to fail;
 * run by the tests, which tell it over its IPC channel to move its clock and to run its jobs.
 */

import { loadConfig } from '../../../src/config.ts'
import { serve } from '../../../src/main.ts'

/** What the process is told at its start, as JSON in its first argument. */
export interface DoorTask {
  readonly flags: Readonly<Record<string, string | boolean>>
  /** Put into the environment of the HSM process. */
  readonly hsmEnvironment: Readonly<Record<string, string>>
  readonly aheadMs: number
}

/** What it is told later; each is answered. */
export type DoorRequest = { readonly moveClockMs: number } | { readonly runJobs: true }

/** What it answers; the first once it serves. */
export type DoorAnswer = { readonly address: string } | { readonly done: true }

const task: DoorTask = JSON.parse(process.argv[2] ?? '')
let { aheadMs } = task
const config = loadConfig({ flags: task.flags, environment: {}, cwd: process.cwd() })
const moduleEnvironment = { ...config.hsm.moduleEnvironment, ...task.hsmEnvironment }
const hsm = { ...config.hsm, moduleEnvironment }
const service = await serve({ ...config, hsm }, { clock: () => Date.now() + aheadMs })

process.on('message', async (request: DoorRequest) => {
  if ('moveClockMs' in request) aheadMs += request.moveClockMs
  else await service.runJobs()
  answer({ done: true })
})
process.on('disconnect', () => void service.stop())
answer({ address: service.grpcAddress })

function answer(message: DoorAnswer): void {
  process.send?.(message)
}

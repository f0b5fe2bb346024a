/** Storms beside the test that looks what becomes of the others. */

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Storm, StormReport } from './storm.ts'

/** Runs a storm on another thread. */
export async function runStorm(workerData: Storm): Promise<StormReport> {
  const worker = new Worker(new URL('./storm.ts', import.meta.url), { workerData })
  const [report] = await once(worker, 'message')
  await worker.terminate()
  return report
}

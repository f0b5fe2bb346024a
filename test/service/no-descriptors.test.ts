/** The HSM process ends while the door has no file descriptor left to start another with. */

import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type ServiceProcess, serviceProcess, sleep } from './service-process.ts'

/** In which it would have been started again several times. */
const MEANWHILE_MS = 1_500
const PATIENCE_MS = 60_000

let service: ServiceProcess
beforeEach(async () => {
  service = await serviceProcess()
  await service.start()
})
afterEach(() => service.remove())

/** The soft limit of a running process on its open files; the hard one stays. */
function limitOpenFiles(pid: number, files: number): void {
  execFileSync('prlimit', ['--pid', `${pid}`, `--nofile=${files}:`])
}

test.skipIf(process.platform !== 'linux')(
  'the door lives on, and starts it once there are some again',
  { timeout: 2 * PATIENCE_MS },
  async () => {
    const pid = service.doorPid()
    const hsm = service.hsmPid()
    if (hsm === undefined) throw new Error('there is no HSM process')
    limitOpenFiles(pid, readdirSync(`/proc/${pid}/fd`).length - 10)
    process.kill(hsm, 'SIGKILL')
    await sleep(MEANWHILE_MS)
    expect(service.hsmPid()).toBeUndefined()
    expect(service.doorPid()).toBe(pid)
    limitOpenFiles(pid, 4096)
    const random = async () =>
      (await service.client.call('GenerateRandom', { numberOfBytes: 1 }).catch(() => undefined))
        ?.plaintext
    await expect.poll(random, { timeout: PATIENCE_MS, interval: 100 }).toHaveLength(1)
  },
)

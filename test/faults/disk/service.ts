/** A whole service in a process of its own on a disk that can be made to fail. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type Client, connect } from '../../../src/client/client.ts'
import { ensureAuthority, issueClientCertificate } from '../../../src/development/authority.ts'
import type { DoorAnswer, DoorRequest, DoorTask } from './door.ts'
import { type FailingDisk, failingDisk } from './failing-disk.ts'

const ACCOUNT = '111122223333'
/** Certificates for longer than any test moves the clock, and within the validity of the CA. */
const LASTING = { validityMs: 3000 * 86_400_000, clock: Date.now }
const PATIENCE_MS = 20_000

/** A service on disks that can be made to fail. */
export interface ServiceOnDisk {
  readonly home: string
  /** Under the door process: database and audit log. Under the HSM process: the token's files. */
  readonly disks: { readonly door: FailingDisk; readonly hsm: FailingDisk }
  /** Calls as the account's root; another one after each start. */
  readonly client: Client
  readonly pid: number
  start(): Promise<void>
  /** Kills the door process, and with it the HSM process. */
  kill(): Promise<void>
  moveClock(byMs: number): Promise<void>
  runJobs(): Promise<void>
  /** Waits until the service does all that it should. */
  untilItServes(): Promise<void>
  remove(): Promise<void>
}

/** Makes a service that is not started yet. */
export function serviceOnDisk(): ServiceOnDisk {
  const directory = mkdtempSync(join(tmpdir(), 'keyslot-failing-disk-'))
  const home = join(directory, 'home')
  const disks = {
    door: failingDisk(home, join(directory, 'door')),
    hsm: failingDisk(home, join(directory, 'hsm')),
  }
  // A service whose clock is years ahead would renew its certificate, and a client, who reads the
  // machine's clock, would find the new one not valid yet.
  ensureAuthority(home, { account: ACCOUNT, ...LASTING })
  let aheadMs = 0
  let child: ChildProcess | undefined
  let client: Client | undefined

  async function start(): Promise<void> {
    const anywhere = '127.0.0.1:0'
    const listen = { grpcListen: anywhere, awsListen: anywhere, statusListen: anywhere }
    const flags = { dev: true, home, jobIntervalMs: '86400000', logLevel: 'error', ...listen }
    const task: DoorTask = { flags, hsmEnvironment: disks.hsm.environment, aheadMs }
    const file = join(import.meta.dirname, 'door.ts')
    child = spawn(process.execPath, [file, JSON.stringify(task)], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: { PATH: process.env.PATH, ...disks.door.environment },
    })
    const address = await new Promise<string>((resolve, reject) => {
      child?.once('exit', () => reject(new Error('the service has ended')))
      child?.once('message', (message: DoorAnswer) => {
        if ('address' in message) resolve(message.address)
      })
    })
    client?.close()
    const ca = readFileSync(join(home, 'tls/ca.pem'))
    client = connect({ endpoint: address, ca, deadlineMs: PATIENCE_MS, ...certificate() })
  }

  function certificate() {
    return issueClientCertificate(home, {
      spiffeId: `spiffe://keyslot/account/${ACCOUNT}/root`,
      ...LASTING,
    })
  }

  async function request(what: DoorRequest): Promise<void> {
    if (child === undefined) throw new Error('the service has not been started')
    const answered = once(child, 'message')
    child.send(what)
    await answered
  }

  async function kill(): Promise<void> {
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  const theClient = () => {
    if (!client) throw new Error('the service has not been started')
    return client
  }
  return {
    home,
    disks,
    get client() {
      return theClient()
    },
    get pid() {
      return child?.pid ?? 0
    },
    start,
    kill,
    async moveClock(byMs) {
      aheadMs += byMs
      await request({ moveClockMs: byMs })
    },
    runJobs: () => request({ runJobs: true }),
    async untilItServes() {
      const isServing = async () => {
        const { keyMetadata } = await theClient().call('CreateKey', {})
        const keyId = keyMetadata?.keyId ?? ''
        await theClient().call('Encrypt', { keyId, plaintext: Buffer.from('x') })
      }
      const failure = () => isServing().catch((cause: unknown) => `${cause}`)
      await expect.poll(failure, { timeout: PATIENCE_MS, interval: 50 }).toBeUndefined()
    },
    async remove() {
      client?.close()
      await kill()
      for (const disk of Object.values(disks)) disk.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

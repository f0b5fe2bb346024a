/** `keyslot serve` as a process of its own, to be killed. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { type Client, connect } from '../../src/client/client.ts'

/** Of a call; a machine that is busy starts an HSM process in as long. */
const DEADLINE_MS = 30_000
const MAIN = resolve(import.meta.dirname, '../../src/cli/main.ts')

/** A service in a process of its own. */
export interface ServiceProcess {
  readonly home: string
  /** The gRPC door's address, the AWS door's and the status door's. */
  readonly endpoint: string
  readonly awsEndpoint: string
  readonly statusEndpoint: string
  /** Calls as the account's root; another one after each start. */
  readonly client: Client
  /** Starts it; resolves when it serves. */
  start(): Promise<void>
  /** The id of the door process. */
  doorPid(): number
  /** The id of the HSM process, while there is one. */
  hsmPid(): number | undefined
  /** Kills the door process with SIGKILL, and waits until the HSM process has ended too. */
  killDoor(): Promise<void>
  /** Stops it as Ctrl-C does, and answers the exit code. */
  interrupt(): Promise<number | null>
  /** Ends what is left and removes the directory. */
  remove(): Promise<void>
}

/** Makes a service that is not started yet. */
export async function serviceProcess(): Promise<ServiceProcess> {
  const home = mkdtempSync(join(tmpdir(), 'keyslot-process-'))
  const endpoint = `127.0.0.1:${await freePort()}`
  const awsEndpoint = `127.0.0.1:${await freePort()}`
  const statusEndpoint = `127.0.0.1:${await freePort()}`
  let child: ChildProcess | undefined
  let client: Client | undefined

  async function start(): Promise<void> {
    const flags = [
      '--home',
      home,
      '--grpc-listen',
      endpoint,
      '--aws-listen',
      awsEndpoint,
      '--status-listen',
      statusEndpoint,
    ]
    const started = spawn(process.execPath, [MAIN, 'serve', '--dev', ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, HOME: home },
    })
    child = started
    let complaints = ''
    started.stderr.on('data', (bytes: Buffer) => {
      complaints += bytes
    })
    for await (const line of createInterface(started.stdout)) {
      if (line.includes('keyslot serves')) break
    }
    if (!isAlive(started)) throw new Error(`keyslot has ended: ${complaints}`)
    started.stdout.resume()
    // A channel that has failed waits before it connects again: a new one does not.
    client?.close()
    client = connect({
      endpoint,
      ca: readFileSync(join(home, 'tls/ca.pem')),
      certificate: readFileSync(join(home, 'tls/root.pem')),
      privateKey: readFileSync(join(home, 'tls/root-key.pem')),
      deadlineMs: DEADLINE_MS,
    })
  }

  async function end(signal: NodeJS.Signals): Promise<number | null> {
    if (!child || !isAlive(child)) return null
    const hsm = hsmPid()
    const ended = once(child, 'exit')
    child.kill(signal)
    const [code] = await ended
    while (hsm !== undefined && isRunning(hsm)) await sleep(10)
    return code
  }

  function hsmPid(): number | undefined {
    return child?.pid === undefined ? undefined : childrenOf(child.pid)[0]
  }

  return {
    home,
    endpoint,
    awsEndpoint,
    statusEndpoint,
    get client() {
      if (!client) throw new Error('the service has not been started')
      return client
    },
    start,
    doorPid: () => child?.pid ?? 0,
    hsmPid,
    async killDoor() {
      await end('SIGKILL')
    },
    interrupt: () => end('SIGINT'),
    async remove() {
      client?.close()
      await end('SIGKILL')
      rmSync(home, { recursive: true, force: true })
    },
  }
}

/** Resolves after some milliseconds. */
export function sleep(ms: number): Promise<void> {
  return new Promise((wake) => setTimeout(wake, ms))
}

function isAlive({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null
}

function childrenOf(pid: number): number[] {
  try {
    return execFileSync('ps', ['-o', 'pid=', '--ppid', `${pid}`])
      .toString()
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map(Number)
  } catch {
    return []
  }
}

/** Whether a process lives: not one that has ended and waits for its parent to ask after it. */
function isRunning(pid: number): boolean {
  try {
    return !execFileSync('ps', ['-o', 'stat=', '-p', `${pid}`])
      .toString()
      .startsWith('Z')
  } catch {
    return false
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

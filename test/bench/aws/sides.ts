/** The servers that speak AWS's protocol: an echo, keyslot, and moto where it is installed. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import type { AccessKey } from '../../doors/aws/sign.ts'

/** A server that serves. */
export interface Server {
  readonly name: string
  readonly endpoint: string
  readonly key: AccessKey
  /** The process that listens, and its HSM process if it has one. */
  readonly pids: readonly number[]
  stop(): Promise<void>
}

const ANY_KEY = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMIK7MDENG' }
const STARTING_MS = 60_000
const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Starts the echo. */
export async function startEcho(): Promise<Server> {
  const child = start(process.execPath, [resolve(import.meta.dirname, 'echo-server.ts')])
  return sideOf('echo', child, await endpointOf(child), ANY_KEY)
}

/** Starts keyslot in a directory of its own, in development mode. */
export async function startKeyslot(): Promise<Server> {
  const home = mkdtempSync(join(tmpdir(), 'keyslot-bench-aws-'))
  const main = resolve(import.meta.dirname, '../../../src/cli/main.ts')
  const listen = ['grpc', 'aws', 'status'].flatMap((door) => [`--${door}-listen`, '127.0.0.1:0'])
  const flags = ['--home', home, ...listen, '--log-level', 'warn']
  const child = start(process.execPath, [main, 'serve', '--dev', ...flags])
  const endpoint = await endpointOf(child)
  const credentials = readFileSync(join(home, 'credentials'), 'utf8')
  const value = (name: string) => new RegExp(`^${name} = (\\S+)$`, 'm').exec(credentials)?.[1] ?? ''
  const side = sideOf('keyslot', child, endpoint, {
    accessKeyId: value('aws_access_key_id'),
    secretAccessKey: value('aws_secret_access_key'),
  })
  return {
    ...side,
    async stop() {
      await side.stop()
      rmSync(home, { recursive: true, force: true })
    },
  }
}

/** Starts moto's server; nothing where it is not installed. */
export async function startMoto(): Promise<Server | undefined> {
  if (spawnSync('moto_server', ['--help'], { stdio: 'ignore' }).status !== 0) return undefined
  const port = await freePort()
  const child = start('moto_server', ['-H', '127.0.0.1', '-p', `${port}`])
  const endpoint = `http://127.0.0.1:${port}`
  const untilMs = Date.now() + STARTING_MS
  while (Date.now() < untilMs) {
    const isUp = await fetch(`${endpoint}/moto-api/`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isUp) return sideOf('moto', child, endpoint, ANY_KEY)
    await setTimeout(200)
  }
  throw new Error('moto does not start')
}

const TICK_US = 10_000

/** Microseconds of CPU that a process has taken, threads that have ended included. */
export function cpuUs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // Behind the command's name, which may hold spaces, `utime` is the 12th field and `stime` follows.
  const [utime = 0, stime = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number)
  return (utime + stime) * TICK_US
}

function start(command: string, words: readonly string[]): ChildProcess {
  const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'ignore'] })
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

async function endpointOf({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new Error('it says nothing')
  for await (const line of createInterface(stdout)) {
    const [, endpoint] = /^\s*AWS\s+(http:\S+)/.exec(line) ?? []
    if (endpoint === undefined) continue
    stdout.resume()
    return endpoint
  }
  throw new Error('it does not start')
}

function sideOf(name: string, child: ChildProcess, endpoint: string, key: AccessKey): Server {
  const { pid = 0 } = child
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return {
    name,
    endpoint,
    key,
    pids: [pid, ...children.split(' ').filter(Boolean).map(Number)],
    async stop() {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

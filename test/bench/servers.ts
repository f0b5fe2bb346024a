/** Servers in processes of their own, and the CPU time that each process has taken. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'

/** A server that serves. */
export interface RunningServer {
  readonly address: string
  /** Where its certificates are. */
  readonly home: string
  /** The process that listens. */
  readonly doorPid: number
  /** Its HSM process, if it has one. */
  readonly hsmPid: number | undefined
  /** From the start of the process until it served. */
  readonly startMs: number
  stop(): Promise<void>
}

/** The folder of this keyslot. */
export const THIS_CHECKOUT = resolve(import.meta.dirname, '../..')

/** Starts keyslot on an installation; this checkout's, or that of another folder. */
export function startKeyslot(home: string, checkout = THIS_CHECKOUT): Promise<RunningServer> {
  const main = resolve(checkout, 'src/cli/main.ts')
  const flags = ['--home', home, '--grpc-listen', ANY_PORT, '--status-listen', ANY_PORT]
  return start(home, [main, 'serve', '--dev', ...flags, '--log-level', 'warn'])
}

/** Starts the echo server, with the certificates of an installation. */
export function startEcho(home: string): Promise<RunningServer> {
  return start(home, [resolve(import.meta.dirname, 'echo-server.ts'), home])
}

/** Nanoseconds of CPU that a process has taken, all of its threads together. */
export function cpuNs(pid: number): number {
  return readdirSync(`/proc/${pid}/task`)
    .map((thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8'))
    .reduce((sum, stat) => sum + Number(stat.split(' ')[0]), 0)
}

const ANY_PORT = '127.0.0.1:0'

/** A bench that is given up leaves no server behind. */
const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))

async function start(home: string, argv: readonly string[]): Promise<RunningServer> {
  const beganMs = performance.now()
  const child = spawn(process.execPath, argv, {
    stdio: ['ignore', 'pipe', 'inherit'],
    // Not as a flag: a keyslot of before that door refuses what it does not know.
    env: { PATH: process.env.PATH, HOME: home, KEYSLOT_AWS_LISTEN: ANY_PORT },
  })
  running.add(child)
  child.once('exit', () => running.delete(child))
  const address = await addressOf(child)
  const startMs = performance.now() - beganMs
  const { pid } = child
  if (address === undefined || pid === undefined) throw new Error(`it does not start: ${argv}`)
  const [hsmPid] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')
  return {
    address,
    home,
    doorPid: pid,
    hsmPid: hsmPid ? Number(hsmPid) : undefined,
    startMs,
    async stop() {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** Both kinds of server say `gRPC` and their address. */
async function addressOf({ stdout }: ChildProcess): Promise<string | undefined> {
  if (stdout === null) return undefined
  for await (const line of createInterface(stdout)) {
    const [, address] = /^\s*gRPC\s+(\S+)/.exec(line) ?? []
    if (address !== undefined) {
      stdout.resume()
      return address
    }
  }
  return undefined
}

/** The load generator: building it, and a round of load with the CPU that it cost. */

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { CONTRACT } from '../../src/contract/contract.ts'
import type { MeasuredCall } from './calls.ts'
import { cpuNs, type RunningServer } from './servers.ts'

/** What the generator cannot do without, in Debian's words. */
export const INSTALL = 'apt-get install -y gcc libc6-dev libnghttp2-dev libssl-dev softhsm2'

/** Connections of the generator: one alone gets half of what four do. */
export const CONNECTIONS = 4
/** Requests under way on each: together as many as keyslot lets one identity have. */
export const STREAMS = 16

/** A round of load. */
export interface Round {
  readonly call: MeasuredCall
  /** A file of frames. */
  readonly frames: string
  readonly seconds: number
  /** Requests a second; as many as can be, unless given. */
  readonly rate?: number
}

/** What came of a round. */
export interface RoundResult {
  readonly requestsPerSecond: number
  readonly failed: number
  readonly p50Us: number
  readonly p99Us: number
  /** CPU microseconds a request. */
  readonly doorUs: number
  readonly hsmUs: number | undefined
}

/** Builds the generator; answers its path, or nothing where a tool is missing. */
export function buildGenerator(directory: string): string | undefined {
  const program = join(directory, 'load')
  const source = resolve(import.meta.dirname, 'load.c')
  const libraries = ['-lnghttp2', '-lssl', '-lcrypto']
  try {
    execFileSync('gcc', ['-O2', '-o', program, source, ...libraries], { stdio: 'ignore' })
    return program
  } catch {
    return undefined
  }
}

/** Puts load on a server for a round. */
export async function runRound(
  program: string,
  server: RunningServer,
  { call, frames, seconds, rate = 0 }: Round,
): Promise<RoundResult> {
  const [host, port] = server.address.split(':')
  const path = `/${CONTRACT[call.rpc].service}/${call.rpc}`
  const certificates = ['ca.pem', 'root.pem', 'root-key.pem'].map((name) =>
    join(server.home, 'tls', name),
  )
  const shape = [CONNECTIONS, STREAMS, seconds, rate]
  const argv = [host, port, path, frames, ...certificates, ...shape].map(String)
  const child = spawn(program, argv, { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  // Handshakes are over by then, and are not counted.
  await lines.next()
  const before = cpuOf(server)
  child.stdin.end('\n')
  const { value } = await lines.next()
  const after = cpuOf(server)
  await ended
  if (value === undefined) throw new Error(`the load on ${call.title} has ended early`)
  const { requests, failed, elapsedSeconds, p50Us, p99Us } = JSON.parse(value)
  const { hsmNs } = after
  return {
    requestsPerSecond: requests / elapsedSeconds,
    failed,
    p50Us,
    p99Us,
    doorUs: (after.doorNs - before.doorNs) / 1000 / requests,
    hsmUs: hsmNs === undefined ? undefined : (hsmNs - (before.hsmNs ?? 0)) / 1000 / requests,
  }
}

function cpuOf({ doorPid, hsmPid }: RunningServer) {
  return { doorNs: cpuNs(doorPid), hsmNs: hsmPid === undefined ? undefined : cpuNs(hsmPid) }
}

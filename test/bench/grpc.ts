/**
 * What calls cost through the gRPC door, with client certificates and the durable audit, beside an
 * echo on the same @grpc/grpc-js and the same operations of the token by pkcs11js alone.
 */

import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { framesOf, type Installation, type MeasuredCall, SIGNING_SPECS } from './calls.ts'
import { type RoundResult, runRound } from './generator.ts'
import { copyInstallation, makeInstallation, type Wanted } from './installation.ts'
import { tell } from './progress.ts'
import type { RawCosts } from './raw-token.ts'
import {
  ECHO,
  type Measurements,
  median,
  rowsTable,
  type Sample,
  startsTable,
  summarise,
} from './report.ts'
import { type RunningServer, startEcho, startKeyslot } from './servers.ts'
import { createWarm } from './warm.ts'

/** What is measured, and how. */
export interface GrpcOptions {
  /** Length of a round. */
  readonly seconds: number
  /** Servers a side. */
  readonly processes: number
  /** For each number of keys, an installation. */
  readonly keys: readonly number[]
  readonly calls: readonly MeasuredCall[]
  /** Another checkout to measure too. */
  readonly before: string | undefined
}

/** Short rounds, and many: the machine changes while they go on. */
const ROUNDS = 5
const RAW_MS = 200

/** Servers of the same program on equal installations. */
interface Side {
  readonly name: string
  readonly servers: readonly RunningServer[]
  readonly installation: Installation
}

/** Measures; answers the tables, and every sample. */
export async function benchGrpc(options: GrpcOptions, directory: string, generator: string) {
  const started: RunningServer[] = []
  try {
    const sides = await startSides(options, directory, started)
    const measurements = await measure(options, { generator, directory, sides })
    const rows = summarise(
      measurements,
      options.calls,
      sides.map(({ name }) => name),
    )
    return {
      text: `${rowsTable(rows)}\n\n${startsTable(measurements.startMs)}\n`,
      rows,
      ...measurements,
      startMs: Object.fromEntries(measurements.startMs),
    }
  } finally {
    await Promise.all(started.map((server) => server.stop()))
  }
}

async function startSides(
  { keys, processes, before }: GrpcOptions,
  directory: string,
  started: RunningServer[],
): Promise<readonly Side[]> {
  const sides: Side[] = []
  const start = async (
    name: string,
    installation: Installation,
    one: (home: string) => Promise<RunningServer>,
  ) => {
    const servers: RunningServer[] = []
    for (let at = 0; at < processes; at++) {
      const copy = join(directory, `${name.replaceAll(/\W+/g, '-')}-${at}`)
      const server = await one(copyInstallation(installation, copy))
      servers.push(server)
      started.push(server)
    }
    sides.push({ name, servers, installation })
  }
  for (const count of keys) {
    tell(`making ${count} keys`)
    const make = (name: string, wanted: Omit<Wanted, 'keys'>) =>
      makeInstallation(join(directory, `${name}-${count}`), { keys: count, ...wanted })
    const isFirst = sides.length === 0
    const installation = await make('keys', { signing: isFirst ? SIGNING_SPECS : [] })
    if (isFirst) await start(ECHO, installation, startEcho)
    await start(`keyslot, ${count} keys`, installation, startKeyslot)
    if (before === undefined) continue
    const former = await make('before', { signing: [], checkout: before })
    await start(`before, ${count} keys`, former, (home) => startKeyslot(home, before))
  }
  return sides
}

interface Bench {
  readonly generator: string
  readonly directory: string
  readonly sides: readonly Side[]
}

async function measure(options: GrpcOptions, bench: Bench): Promise<Measurements> {
  const samples: Sample[] = []
  const raw: RawCosts[] = []
  const warm = createWarm()
  for (const call of options.calls) {
    tell(call.title)
    const sides = sidesOf(call, bench.sides)
    for (const side of sides) {
      for (const server of side.servers) {
        await warm(server, () => load(bench, side, server, call, 1))
      }
    }
    const take = async (kind: Sample['load'], rounds: number, rate?: number) => {
      for (let turn = 0; turn < rounds * options.processes; turn++) {
        for (const side of sides) {
          const server = side.servers[turn % options.processes]
          if (server === undefined) continue
          const result = await load(bench, side, server, call, options.seconds, rate)
          const { name } = side
          samples.push({ call: call.title, side: name, turn: `${turn}`, load: kind, result })
        }
      }
    }
    await take('full', ROUNDS)
    await take('half', 1, halfOf(samples, call, sides[1]?.name))
  }
  for (let at = 0; at < options.processes; at++) raw.push(rawCosts(bench.sides))
  const startMs = new Map(
    bench.sides.map(({ name, servers }) => [name, servers.map((each) => each.startMs)]),
  )
  return { samples, raw, startMs }
}

/** Signing is measured where there is a key that signs. */
function sidesOf(call: MeasuredCall, sides: readonly Side[]): readonly Side[] {
  if (call.rpc !== 'Sign') return sides
  return sides.filter(({ installation }) => installation.signingKeyIds[call.spec] !== undefined)
}

function halfOf(samples: readonly Sample[], { title }: MeasuredCall, side?: string): number {
  const rates = samples
    .filter((each) => each.call === title && each.side === side && each.load === 'full')
    .map(({ result }) => result.requestsPerSecond)
  return median(rates) / 2
}

function load(
  { generator, directory }: Bench,
  { installation }: Side,
  server: RunningServer,
  call: MeasuredCall,
  seconds: number,
  rate?: number,
): Promise<RoundResult> {
  const frames = join(directory, 'frames')
  writeFileSync(frames, framesOf(call, installation))
  return runRound(generator, server, { call, frames, seconds, rate })
}

function rawCosts([first]: readonly Side[]): RawCosts {
  const home = first?.installation.home ?? ''
  const program = resolve(import.meta.dirname, 'raw-token.ts')
  const answer = execFileSync(process.execPath, [program, home, `${RAW_MS}`], {
    env: { ...process.env, SOFTHSM2_CONF: join(home, 'hsm/softhsm2.conf') },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return JSON.parse(answer.toString())
}

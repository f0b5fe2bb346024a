/**
 * The bench, `npm run bench`: what calls of data cost through the gRPC door, with client
 * certificates and the durable audit, beside an echo on the same @grpc/grpc-js and the same
 * operations of the token by pkcs11js alone.
 *
 * Processes of the same program differ for their whole life, and machines from minute to minute:
 * there are several servers a side, short rounds go round the sides, and what is printed are
 * medians and ratios of one run. Compare nothing across runs.
 */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { findSoftHsm } from '../../src/pkcs11/profiles/softhsm.ts'
import { CALLS, framesOf, type MeasuredCall } from './calls.ts'
import {
  buildGenerator,
  CONNECTIONS,
  INSTALL,
  type RoundResult,
  runRound,
  STREAMS,
} from './generator.ts'
import { copyInstallation, type Installation, makeInstallation } from './installation.ts'
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

const HELP = `Usage: npm run bench -- [options]

  --seconds <n>    Length of a round of load (default: 1).
  --processes <n>  Servers a side (default: 3).
  --full           With 10,000 keys too; making them takes minutes.
  --only <rpc>     Measures calls of one rpc only.
  --before <path>  Measures the keyslot of another checkout too, in the same run.
  --json           Prints JSON, every sample included.
  --help           Prints this.

Columns: requests a second with ${CONNECTIONS * STREAMS} under way, and CPU microseconds a request of the process
that listens and of the HSM process; "× echo" and "growth" (CPU of both processes, of the same
with the fewest keys) are medians of ratios of neighbouring rounds; "× raw" is of pkcs11js on a
session object. p50 and p99 are at half of what keyslot with the fewest keys answers, the same
rate for every side, counted from when a request was due.
`

const ROUNDS = 2
/** After so many requests the code is compiled for good; a slow machine is not waited for. */
const WARM_REQUESTS = 15_000
const WARM_ROUNDS_MAX = 4
const RAW_MS = 200

/** Servers of the same program on equal installations. */
interface Side {
  readonly name: string
  readonly servers: readonly RunningServer[]
  readonly installation: Installation
}

interface Options {
  readonly seconds: number
  readonly processes: number
  readonly keys: readonly number[]
  readonly calls: readonly MeasuredCall[]
  /** Another checkout. */
  readonly before: string | undefined
  readonly json: boolean
}

function readOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '1' },
      processes: { type: 'string', default: '3' },
      full: { type: 'boolean', default: false },
      only: { type: 'string' },
      before: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const seconds = Number(values.seconds)
  const processes = Number(values.processes)
  if (!(seconds > 0)) throw new Error('--seconds: a number above 0')
  if (!Number.isInteger(processes) || processes < 1) throw new Error('--processes: 1 or more')
  const keys = values.full ? [16, 1000, 10_000] : [16, 1000]
  const { only, before, json } = values
  const calls = CALLS.filter(({ rpc }) => only === undefined || rpc === only)
  if (calls.length === 0) throw new Error(`--only: one of ${CALLS.map(({ rpc }) => rpc)}`)
  return values.help ? undefined : { seconds, processes, keys, calls, before, json }
}

async function main(): Promise<number> {
  const options = readOptions()
  if (options === undefined) {
    process.stdout.write(HELP)
    return 0
  }
  const directory = mkdtempSync(join(tmpdir(), 'keyslot-bench-'))
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  const started: RunningServer[] = []
  try {
    const generator = buildGenerator(directory)
    if (generator === undefined || findSoftHsm() === undefined) {
      process.stderr.write(`The bench needs more than is installed here:\n\n  ${INSTALL}\n`)
      return 1
    }
    const sides = await startSides(options, directory, started)
    const measurements = await measure(options, { generator, directory, sides })
    print(options, measurements, sides)
    return 0
  } finally {
    await Promise.all(started.map((server) => server.stop()))
  }
}

async function startSides(
  { keys, processes, before }: Options,
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
    const installation = await makeInstallation(join(directory, `keys-${count}`), count)
    if (sides.length === 0) await start(ECHO, installation, startEcho)
    await start(`keyslot, ${count} keys`, installation, startKeyslot)
    if (before === undefined) continue
    await start(`before, ${count} keys`, installation, (home) => startKeyslot(home, before))
  }
  return sides
}

interface Bench {
  readonly generator: string
  readonly directory: string
  readonly sides: readonly Side[]
}

async function measure(options: Options, bench: Bench): Promise<Measurements> {
  const { sides } = bench
  const samples: Sample[] = []
  const raw: RawCosts[] = []
  for (const call of options.calls) {
    tell(call.title)
    for (const side of sides) {
      for (const server of side.servers) await warm(bench, side, server, call)
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
  for (let at = 0; at < options.processes; at++) raw.push(rawCosts(sides))
  const startMs = new Map(
    sides.map(({ name, servers }) => [name, servers.map((each) => each.startMs)]),
  )
  return { samples, raw, startMs }
}

async function warm(bench: Bench, side: Side, server: RunningServer, call: MeasuredCall) {
  let requests = 0
  for (let round = 0; round < WARM_ROUNDS_MAX && requests < WARM_REQUESTS; round++) {
    const { requestsPerSecond } = await load(bench, side, server, call, 1)
    requests += requestsPerSecond
  }
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

function print(options: Options, measurements: Measurements, sides: readonly Side[]): void {
  const rows = summarise(
    measurements,
    options.calls,
    sides.map(({ name }) => name),
  )
  if (options.json) {
    const startMs = Object.fromEntries(measurements.startMs)
    const all = { options, rows, ...measurements, startMs }
    process.stdout.write(`${JSON.stringify(all, undefined, 1)}\n`)
    return
  }
  const { seconds, processes } = options
  process.stdout.write(
    `Node ${process.version}, ${availableParallelism()} cores, ${processes} processes a side, ` +
      `${ROUNDS} rounds of ${seconds} s on each; medians. --help explains the columns.\n\n` +
      `${rowsTable(rows)}\n\n${startsTable(measurements.startMs)}\n`,
  )
}

function tell(what: string): void {
  process.stderr.write(`bench: ${what}\n`)
}

process.exitCode = await main()

/**
 * The bench, `npm run bench`: what calls cost through both doors, and what a decision costs.
 *
 * Processes of the same program differ for their whole life, and machines from minute to minute:
 * there are several servers a side, short rounds go round the sides, and what is printed are
 * medians and ratios of one run. Compare nothing across runs.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { findSoftHsm } from '../../src/pkcs11/profiles/softhsm.ts'
import { benchAws } from './aws/bench.ts'
import { CALLS } from './calls.ts'
import { decisionCosts } from './decisions.ts'
import { buildGenerator, CONNECTIONS, INSTALL, STREAMS } from './generator.ts'
import { benchGrpc, type GrpcOptions } from './grpc.ts'
import { digits, table } from './report.ts'

const PARTS = ['grpc', 'aws', 'decisions'] as const

const HELP = `Usage: npm run bench -- [options] [part…]

Parts: ${PARTS.join(', ')}; all of them unless some are named.

  --seconds <n>    Length of a round of load (default: 0.5).
  --processes <n>  Servers a side (default: 3).
  --keys <n,…>     Keys of the installations, the fewest first (default: 16,1000).
  --full           With 10,000 keys too; making them takes minutes.
  --only <rpc>     Measures calls of one rpc only.
  --before <path>  Measures the keyslot of another checkout too, in the same run (grpc).
  --json           Prints JSON, every sample included.
  --help           Prints this.

Columns: requests a second with ${CONNECTIONS * STREAMS} under way, and CPU microseconds a request of the process
that listens and of the HSM process; "× echo" and "growth" (CPU of both processes, of the same
with the fewest keys) are medians of ratios of neighbouring rounds; "× raw" is of pkcs11js on a
session object: the rate of one thread, and its CPU. p50 and p99 are at half of what keyslot with
the fewest keys answers, the same rate for every side, counted from when a request was due.
`

type Part = (typeof PARTS)[number]

interface Options extends GrpcOptions {
  readonly parts: readonly Part[]
  readonly json: boolean
}

function readOptions(): Options | undefined {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seconds: { type: 'string', default: '0.5' },
      processes: { type: 'string', default: '3' },
      keys: { type: 'string', default: '16,1000' },
      full: { type: 'boolean', default: false },
      only: { type: 'string' },
      before: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  const seconds = Number(values.seconds)
  const processes = Number(values.processes)
  if (!(seconds > 0)) throw new Error('--seconds: a number above 0')
  if (!Number.isInteger(processes) || processes < 1) throw new Error('--processes: 1 or more')
  const keys = values.keys.split(',').map(Number)
  if (!keys.every((count) => Number.isInteger(count) && count > 0)) {
    throw new Error('--keys: numbers above 0, with commas between them')
  }
  if (values.full) keys.push(10_000)
  const { only, before, json } = values
  const calls = CALLS.filter(({ rpc }) => only === undefined || rpc === only)
  if (calls.length === 0) throw new Error(`--only: one of ${CALLS.map(({ rpc }) => rpc)}`)
  return { parts: readParts(positionals), seconds, processes, keys, calls, before, json }
}

function readParts(words: readonly string[]): readonly Part[] {
  const unknown = words.find((word) => !PARTS.some((part) => part === word))
  if (unknown !== undefined) throw new Error(`${unknown} is none of the parts ${PARTS.join(', ')}`)
  return words.length === 0 ? PARTS : PARTS.filter((part) => words.includes(part))
}

async function main(): Promise<number> {
  const options = readOptions()
  if (options === undefined) {
    process.stdout.write(HELP)
    return 0
  }
  const directory = mkdtempSync(join(tmpdir(), 'keyslot-bench-'))
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  const generator = buildGenerator(directory)
  if (generator === undefined || findSoftHsm() === undefined) {
    process.stderr.write(`The bench needs more than is installed here:\n\n  ${INSTALL}\n`)
    return 1
  }
  const measured: Partial<Record<Part, Measured>> = {}
  if (!options.json) process.stdout.write(headOf(options))
  for (const part of options.parts) {
    const result = await measure[part](options, { directory, generator })
    measured[part] = result
    if (!options.json) process.stdout.write(`\n${part}\n\n${result.text}`)
  }
  if (options.json) process.stdout.write(`${JSON.stringify({ options, ...measured })}\n`)
  return 0
}

interface Measured {
  /** As tables. */
  readonly text: string
}

interface Place {
  /** For what a part needs to put down. */
  readonly directory: string
  /** The generator of load over HTTP/2. */
  readonly generator: string
}

const measure: Record<Part, (options: Options, place: Place) => Promise<Measured>> = {
  grpc: (options, { directory, generator }) => benchGrpc(options, directory, generator),
  aws: ({ seconds, processes, calls }, { directory }) =>
    benchAws({ seconds, processes, rpcs: calls.map(({ rpc }) => rpc) }, directory),
  decisions: async () => {
    const costs = decisionCosts()
    const lines = costs.map(({ title, us }) => [title, digits(us, 2)])
    return { text: `${table(['decision', 'CPU µs'], lines)}\n`, costs }
  },
}

function headOf({ seconds, processes }: Options): string {
  return (
    `Node ${process.version}, ${availableParallelism()} cores, ${processes} processes a side, ` +
    `rounds of ${seconds} s; medians. --help explains the columns.\n`
  )
}

process.exitCode = await main()

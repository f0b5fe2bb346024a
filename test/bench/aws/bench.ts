/**
 * What calls cost through the AWS door, with signatures, authorisation, audit and the HSM, beside a
 * bare node:http echo, and beside moto where it is installed.
 */

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { KMS } from '@aws-sdk/client-kms'
import { sign } from '../../doors/aws/sign.ts'
import { tell } from '../progress.ts'
import { digits, ECHO, median, table } from '../report.ts'
import { createWarm } from '../warm.ts'
import { cpuUs, type Server, startEcho, startKeyslot, startMoto } from './sides.ts'

/** What is measured, and how. */
export interface AwsOptions {
  /** Length of a round. */
  readonly seconds: number
  /** Servers a side; of moto there is one. */
  readonly processes: number
  /** Those of them that are measured here are. */
  readonly rpcs: readonly string[]
}

const ROUNDS = 5
const CONNECTIONS = 32
/** moto's server works on one request at a time, and drops connections that wait for long. */
const CONNECTIONS_OF_MOTO = 2
const KEYS = 16
const REGION = 'eu-central-1'
const CALLS = ['Encrypt', 'Decrypt', 'GenerateDataKey'] as const
const PLAINTEXT = Buffer.alloc(32, 7)
const MOTO = 'moto'

type CallName = (typeof CALLS)[number]

/** Servers of the same program. */
interface Side {
  readonly name: string
  readonly servers: readonly Server[]
}

/** What a round has shown. */
interface Round {
  readonly side: string
  readonly call: CallName
  readonly requestsPerSecond: number
  readonly failed: number
  readonly p99Us: number
  /** CPU microseconds a request: the process that listens, and the HSM process. */
  readonly doorUs: number
  readonly hsmUs: number
}

/** What each server has to encrypt and decrypt with. */
interface Material {
  readonly keyIds: readonly string[]
  readonly ciphertexts: readonly string[]
}

/** Measures; answers the table, and every round. */
export async function benchAws(options: AwsOptions, directory: string) {
  const generator = join(directory, 'load-aws')
  execFileSync('gcc', ['-O2', '-o', generator, resolve(import.meta.dirname, 'load.c')])
  const started: Server[] = []
  try {
    const sides = await startSides(options, started)
    const materials = new Map<Server, Material>()
    for (const server of started) materials.set(server, await materialOf(server))
    const rounds: Round[] = []
    const warm = createWarm()
    for (const call of CALLS.filter((each) => options.rpcs.includes(each))) {
      tell(`${call} over the AWS door`)
      const load = (server: Server, seconds: number) =>
        runRound({ generator, directory, call, seconds }, server, materials.get(server))
      for (const server of started) await warm(server, () => load(server, 1))
      for (let turn = 0; turn < ROUNDS * options.processes; turn++) {
        for (const { servers } of sides) {
          const server = servers[turn % servers.length]
          if (server !== undefined) rounds.push(await load(server, options.seconds))
        }
      }
    }
    return { text: tableOf(rounds, sides), rounds }
  } finally {
    await Promise.all(started.map((server) => server.stop()))
  }
}

async function startSides({ processes }: AwsOptions, started: Server[]): Promise<readonly Side[]> {
  const start = async (name: string, count: number, one: () => Promise<Server>): Promise<Side> => {
    const servers: Server[] = []
    for (let at = 0; at < count; at++) {
      const server = await one()
      servers.push(server)
      started.push(server)
    }
    return { name, servers }
  }
  const sides = [
    await start(ECHO, processes, startEcho),
    await start('keyslot', processes, startKeyslot),
  ]
  const moto = await startMoto()
  if (moto === undefined) {
    tell('moto is not installed here')
    return sides
  }
  started.push(moto)
  return [...sides, { name: MOTO, servers: [moto] }]
}

async function materialOf({ name, endpoint, key }: Server): Promise<Material> {
  if (name === ECHO) {
    const keyIds = Array.from({ length: KEYS }, () => crypto.randomUUID())
    return { keyIds, ciphertexts: keyIds.map(() => Buffer.alloc(180, 1).toString('base64')) }
  }
  const kms = new KMS({ endpoint, region: REGION, credentials: key })
  const keyIds: string[] = []
  const ciphertexts: string[] = []
  for (let at = 0; at < KEYS; at++) {
    const { KeyMetadata } = await kms.createKey({})
    const KeyId = KeyMetadata?.KeyId ?? ''
    const { CiphertextBlob = [] } = await kms.encrypt({ KeyId, Plaintext: PLAINTEXT })
    keyIds.push(KeyId)
    ciphertexts.push(Buffer.from(CiphertextBlob).toString('base64'))
  }
  kms.destroy()
  return { keyIds, ciphertexts }
}

function bodiesOf(call: CallName, { keyIds, ciphertexts }: Material): readonly object[] {
  switch (call) {
    case 'Encrypt':
      return keyIds.map((KeyId) => ({ KeyId, Plaintext: PLAINTEXT.toString('base64') }))
    case 'Decrypt':
      return ciphertexts.map((CiphertextBlob) => ({ CiphertextBlob }))
    case 'GenerateDataKey':
      return keyIds.map((KeyId) => ({ KeyId, KeySpec: 'AES_256' }))
  }
}

async function runRound(
  bench: {
    readonly generator: string
    readonly directory: string
    readonly call: CallName
    readonly seconds: number
  },
  { name, endpoint, key, pids }: Server,
  material: Material = { keyIds: [], ciphertexts: [] },
): Promise<Round> {
  const { hostname, port, host } = new URL(endpoint)
  const { call, seconds } = bench
  const requests = bodiesOf(call, material).map((body) => {
    const json = JSON.stringify(body)
    const signed = sign(key, { operation: call, body: json, host, timeMs: Date.now() })
    const lines = Object.entries({ ...signed.headers, 'content-length': signed.body.length })
    const head = lines.map(([header, value]) => `${header}: ${value}\r\n`).join('')
    const whole = Buffer.concat([Buffer.from(`POST / HTTP/1.1\r\n${head}\r\n`), signed.body])
    const length = Buffer.alloc(4)
    length.writeUInt32BE(whole.length)
    return Buffer.concat([length, whole])
  })
  const file = join(bench.directory, 'requests')
  writeFileSync(file, Buffer.concat(requests))
  const connections = name === MOTO ? CONNECTIONS_OF_MOTO : CONNECTIONS
  const argv = [hostname, port, file, connections, seconds].map(String)
  const child = spawn(bench.generator, argv, { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  await lines.next()
  const before = pids.map(cpuUs)
  child.stdin.end('\n')
  const { value } = await lines.next()
  const spentUs = pids.map((pid, at) => cpuUs(pid) - (before[at] ?? 0))
  await ended
  if (value === undefined) throw new Error(`the load on ${name} has ended early`)
  const result = JSON.parse(value)
  const [doorUs = 0, hsmUs = 0] = spentUs.map((us) => us / result.requests)
  const requestsPerSecond = result.requests / result.elapsedSeconds
  return { side: name, call, ...result, requestsPerSecond, doorUs, hsmUs }
}

const TITLES = [
  'call',
  'side',
  'req/s',
  '× echo',
  '× moto',
  'door µs',
  '× echo',
  'HSM µs',
  'p99 ms',
  'failed',
]

function tableOf(rounds: readonly Round[], sides: readonly Side[]): string {
  const calls = CALLS.filter((call) => rounds.some((round) => round.call === call))
  const lines = calls.flatMap((call) => {
    const of = (side: string) => rounds.filter((each) => each.call === call && each.side === side)
    const ratio = (side: string, other: string, what: (round: Round) => number) => {
      const theirs = of(other)
      return median(of(side).map((ours, at) => what(ours) / what(theirs[at] ?? ours)))
    }
    return sides.map(({ name }) => {
      const middle = (what: (round: Round) => number) => median(of(name).map(what))
      const rate = (round: Round) => round.requestsPerSecond
      const isOurs = name === 'keyslot'
      const hasMoto = of(MOTO).length > 0
      return [
        `${call} 32 B`,
        name,
        digits(middle(rate), 0),
        digits(isOurs ? ratio(name, ECHO, rate) : undefined, 2),
        digits(isOurs && hasMoto ? ratio(name, MOTO, rate) : undefined, 1),
        digits(
          middle(({ doorUs }) => doorUs),
          1,
        ),
        digits(isOurs ? ratio(name, ECHO, ({ doorUs }) => doorUs) : undefined, 2),
        digits(isOurs ? middle(({ hsmUs }) => hsmUs) : undefined, 1),
        digits(middle(({ p99Us }) => p99Us) / 1000, 2),
        `${of(name).reduce((sum, { failed }) => sum + failed, 0)}`,
      ]
    })
  })
  return `${table(TITLES, lines)}\n`
}

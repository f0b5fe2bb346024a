/**
 * The bench of the AWS door, `npm run bench:aws`: Encrypt, Decrypt and GenerateDataKey with
 * signatures, authorisation, audit and the HSM, beside a bare node:http echo, and beside moto where
 * it is installed. Short rounds go round the sides; what is printed are medians of one run, and
 * medians of the ratios of neighbouring rounds.
 */

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { KMS } from '@aws-sdk/client-kms'
import { sign } from '../../doors/aws/sign.ts'
import { median } from '../report.ts'
import { cpuUs, type Side, startEcho, startKeyslot, startMoto } from './sides.ts'

const CONNECTIONS = 32
/** moto's server works on one request at a time, and drops connections that wait for long. */
const CONNECTIONS_OF_MOTO = 2
const KEYS = 16
const REGION = 'eu-central-1'
const CALLS = ['Encrypt', 'Decrypt', 'GenerateDataKey'] as const
const PLAINTEXT = Buffer.alloc(32, 7)
const WARM_SECONDS = 2

type CallName = (typeof CALLS)[number]

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

/** What each side has to encrypt and decrypt with. */
interface Material {
  readonly keyIds: readonly string[]
  readonly ciphertexts: readonly string[]
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '1' },
      rounds: { type: 'string', default: '5' },
    },
  })
  const directory = mkdtempSync(join(tmpdir(), 'keyslot-bench-aws-'))
  const generator = join(directory, 'load')
  execFileSync('gcc', ['-O2', '-o', generator, resolve(import.meta.dirname, 'load.c')])
  const sides: Side[] = []
  try {
    sides.push(await startEcho(), await startKeyslot())
    const moto = await startMoto()
    if (moto) sides.push(moto)
    else process.stderr.write('bench: moto is not installed here\n')
    const materials = new Map<Side, Material>()
    for (const side of sides) materials.set(side, await materialOf(side))
    const rounds: Round[] = []
    for (const call of CALLS) {
      const load = (side: Side, seconds: number) =>
        runRound({ generator, directory, call, seconds }, side, materials.get(side))
      for (const side of sides) await load(side, WARM_SECONDS)
      for (let at = 0; at < Number(values.rounds); at++) {
        for (const side of sides) rounds.push(await load(side, Number(values.seconds)))
      }
    }
    print(rounds, sides)
  } finally {
    await Promise.all(sides.map((side) => side.stop()))
    rmSync(directory, { recursive: true, force: true })
  }
}

async function materialOf({ name, endpoint, key }: Side): Promise<Material> {
  if (name === 'echo') {
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
  { name, endpoint, key, pids }: Side,
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
  const connections = name === 'moto' ? CONNECTIONS_OF_MOTO : CONNECTIONS
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

function print(rounds: readonly Round[], sides: readonly Side[]): void {
  process.stdout.write(
    '| call | side | req/s | of echo | of moto | door µs | of echo | HSM µs | p99 ms | failed |\n' +
      '|---|---|---|---|---|---|---|---|---|---|\n',
  )
  for (const call of CALLS) {
    const of = (side: string) => rounds.filter((each) => each.call === call && each.side === side)
    const ratio = (side: string, other: string, what: (round: Round) => number) => {
      const theirs = of(other)
      const ratios = of(side).map((ours, at) => {
        const against = theirs[at]
        return against ? what(ours) / what(against) : Number.NaN
      })
      return theirs.length > 0 ? median(ratios).toFixed(2) : ''
    }
    for (const { name } of sides) {
      const middle = (what: (round: Round) => number) => median(of(name).map(what))
      const rate = (round: Round) => round.requestsPerSecond
      const cells = [
        call,
        name,
        middle(rate).toFixed(0),
        ratio(name, 'echo', rate),
        ratio(name, 'moto', rate),
        middle(({ doorUs }) => doorUs).toFixed(1),
        ratio(name, 'echo', ({ doorUs }) => doorUs),
        middle(({ hsmUs }) => hsmUs).toFixed(1),
        (middle(({ p99Us }) => p99Us) / 1000).toFixed(2),
        of(name).reduce((sum, { failed }) => sum + failed, 0),
      ]
      process.stdout.write(`| ${cells.join(' | ')} |\n`)
    }
  }
}

await main()

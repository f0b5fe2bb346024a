/**
 * Clients that mean ill against a whole service, one kind after the other, with a well-behaved one
 * beside them: it is served all the while, the HSM has no more calls than it may, memory comes
 * back, and nothing crashes. Each for a minute with KEYSLOT_FAULTS=full.
 */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Client, connect } from '../../src/client/client.ts'
import { CONTRACT } from '../../src/contract/contract.ts'
import { encodeMessage } from '../../src/contract/wire.ts'
import { issueClientCertificate } from '../../src/development/authority.ts'
import { type ServiceProcess, serviceProcess, sleep } from '../service/service-process.ts'
import { callHeaders, framed } from './door.ts'
import { runStorm } from './run-storm.ts'
import type { Storm } from './storm.ts'

const FULL = process.env.KEYSLOT_FAULTS === 'full'
const STORM_MS = FULL ? 60_000 : 1_500
const CALM_MS = FULL ? 5_000 : 1_000
const KINDS: readonly Storm['kind'][] = [
  'reset',
  'cancelled',
  'one-byte frames',
  'oversized',
  'malformed',
]
const GROWTH_MAX_MIB = 256
const BACK_WITHIN_MS = 30_000
/** What may be left of the growth: V8 keeps some of the heap that it has had. */
const LEFT_MAX_MIB = 128
/** The limit of one identity, the well-behaved caller's, and what they are in two of. */
const HSM_CALLS_MAX = 2 * (64 + 8)
/** On a machine that is busy. */
const GOOD_P99_MS = 5_000
const ACCOUNT = '444455556666'

const isHere = process.platform === 'linux'

let service: ServiceProcess
let good: Client
let goodKeyId: string
beforeAll(async () => {
  if (!isHere) return
  service = await serviceProcess()
  await service.start()
  await service.client.call('CreateAccount', { account: ACCOUNT, accountName: 'good' })
  const spiffeId = `spiffe://keyslot/account/${ACCOUNT}/root`
  const certificate = issueClientCertificate(service.home, { spiffeId, clock: Date.now })
  const ca = readFileSync(join(service.home, 'tls/ca.pem'))
  good = connect({ endpoint: service.endpoint, ca, ...certificate, deadlineMs: 30_000 })
  goodKeyId = (await good.call('CreateKey', {})).keyMetadata?.keyId ?? ''
})
afterAll(async () => {
  good?.close()
  await service?.remove()
})

/** Encrypts one message after the other; answers how long each took, sorted. */
async function behaveWell(stop: AbortSignal): Promise<number[]> {
  const tookMs: number[] = []
  while (!stop.aborted) {
    const startMs = performance.now()
    await good.call('Encrypt', { keyId: goodKeyId, plaintext: Buffer.from('x') })
    tookMs.push(performance.now() - startMs)
    await sleep(10)
  }
  return tookMs.toSorted((one, other) => one - other)
}

function residentMiB(): number {
  const status = readFileSync(`/proc/${service.doorPid()}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024
}

/** Looks again and again at memory and at the calls to the HSM; answers the most of each. */
async function watch(stop: AbortSignal): Promise<{ mib: number; hsmCalls: number }> {
  let [mib, hsmCalls] = [0, 0]
  while (!stop.aborted) {
    mib = Math.max(mib, residentMiB())
    const metrics = await (await fetch(`http://${service.statusEndpoint}/metrics`)).text()
    const counts = [...metrics.matchAll(/^keyslot_hsm_calls\{state="\w+"\} (\d+)$/gm)]
    expect(counts).toHaveLength(2)
    hsmCalls = Math.max(
      hsmCalls,
      counts.reduce((sum, [, count]) => sum + Number(count), 0),
    )
    await sleep(50)
  }
  return { mib, hsmCalls }
}

const p99 = (sorted: readonly number[]) => sorted[Math.floor(sorted.length * 0.99)] ?? 0

/** A call that reaches the HSM, as the account's root would make it. */
function stormOf(kind: Storm['kind'], keyId: string): Storm {
  const request = encodeMessage(CONTRACT.Encrypt.request, { keyId, plaintext: Buffer.from('x') })
  const read = (name: string) => readFileSync(join(service.home, 'tls', name), 'utf8')
  return {
    kind,
    url: `https://${service.endpoint}`,
    tls: { ca: read('ca.pem'), cert: read('root.pem'), key: read('root-key.pem') },
    headers: callHeaders('Encrypt'),
    message: framed(request),
    durationMs: STORM_MS,
  }
}

describe.skipIf(!isHere)('a storm', () => {
  test.each(KINDS)('of %s requests', { timeout: 4 * STORM_MS + 120_000 }, async (kind) => {
    const pids = [service.doorPid(), service.hsmPid()]
    const calm = await behaveWell(AbortSignal.timeout(CALM_MS))
    const beforeMiB = residentMiB()
    const stop = new AbortController()
    const beside = Promise.all([behaveWell(stop.signal), watch(stop.signal)])
    const { streams, connections } = await runStorm(stormOf(kind, 'alias/dev'))
    stop.abort()
    const [served, most] = await beside
    const isBack = () => residentMiB() - beforeMiB
    await expect.poll(isBack, { timeout: BACK_WITHIN_MS, interval: 500 }).toBeLessThan(LEFT_MAX_MIB)
    console.log(
      `${kind}: ${streams} streams on ${connections} connections in ${STORM_MS / 1000} s; ` +
        `resident ${beforeMiB.toFixed(0)} MiB before, ${most.mib.toFixed(0)} at most, ` +
        `${residentMiB().toFixed(0)} after; ${most.hsmCalls} calls to the HSM at most; ` +
        `${served.length} good calls, p99 ${p99(served).toFixed(0)} ms ` +
        `(${p99(calm).toFixed(0)} ms before)`,
    )
    expect(streams).toBeGreaterThan(100)
    expect(most.mib - beforeMiB).toBeLessThan(GROWTH_MAX_MIB)
    expect(most.hsmCalls).toBeLessThanOrEqual(HSM_CALLS_MAX)
    expect(served.length).toBeGreaterThan(5)
    expect(p99(served)).toBeLessThan(GOOD_P99_MS)
    expect([service.doorPid(), service.hsmPid()]).toEqual(pids)
    await service.client.call('Encrypt', { keyId: 'alias/dev', plaintext: Buffer.from('x') })
  })
})

/**
 * Bodies that are no request, or nearly one, for every operation of the AWS door. Signed and sent to
 * a whole service, each is answered, none with a fault of the service's, and the service goes on;
 * 100,000 of them with KEYSLOT_FAULTS=full. Read here, a million of them then, none takes so long
 * that others would wait for it.
 */

import { readFileSync } from 'node:fs'
import { Agent } from 'node:http'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  CONTRACT,
  type FieldContract,
  type MessageContract,
} from '../../../src/contract/contract.ts'
import { validated } from '../../../src/contract/validate.ts'
import { JSON_TYPE } from '../../../src/doors/aws/answer.ts'
import { protocolOf } from '../../../src/doors/aws/protocol.ts'
import { FAILURES, type FailureName, KmsError } from '../../../src/model/failures.ts'
import { OPERATIONS } from '../../../src/operations/table.ts'
import type { RpcName } from '../../../src/service.ts'
import { type ServiceProcess, serviceProcess } from '../../service/service-process.ts'
import { mutated, mutation } from '../mutations.ts'
import { accessKeyOf } from './clients/environment.ts'
import { type AccessKey, send, sign } from './sign.ts'

const FULL = process.env.KEYSLOT_FAULTS === 'full'
const BODIES = FULL ? 100_000 : 2_000
const READ_BODIES = FULL ? 1_000_000 : 20_000
const BATCH = 1_000
const AT_ONCE = 32
const TEST_MS = FULL ? 7_200_000 : 120_000
const GROWTH_MAX_MIB = 256
/** Of the processor's time, whatever else the machine does. */
const READ_MS_MAX = 50
const AGAIN_MS = 5
const KMS = '.KeyManagementService'
const FORM_TYPE = 'application/x-www-form-urlencoded; charset=utf-8'

let service: ServiceProcess
let key: AccessKey
let keyId: string
const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })
beforeAll(async () => {
  service = await serviceProcess()
  await service.start()
  key = accessKeyOf(service.home)
  keyId = (await service.client.call('CreateKey', {})).keyMetadata?.keyId ?? ''
})
afterAll(async () => {
  agent.destroy()
  await service?.remove()
})

/** A request that has every member, as JSON. */
function exampleOf({ fields }: MessageContract): Record<string, unknown> {
  return Object.fromEntries(
    fields.map((field) => {
      const value = exampleValue(field)
      return [field.awsName, field.repeated ? [value] : value]
    }),
  )
}

function exampleValue({ name, holds }: FieldContract): unknown {
  if (name === 'keyId') return keyId
  switch (holds.kind) {
    case 'string':
      return `alias/${name} \u00e9\u{1f511}`
    case 'bytes':
      return Buffer.alloc(32, name).toString('base64')
    case 'bool':
      return false
    case 'int32':
      return 7
    case 'timestamp':
      return 1_500_000_000.5
    case 'map':
      return { purpose: 'fuzz', ['__proto__']: 'x' }
    case 'enum':
      return holds.enum.names[0]
    case 'message':
      return exampleOf(holds.message)
  }
}

/** Where JSON may go wrong. */
const PIECES = [
  '{',
  '}',
  '[',
  ']',
  '"',
  '\\',
  '\\ud800',
  ',',
  ':',
  'null',
  '1e999',
  '-',
  ' ',
  '\u0000',
]
const PLACES = ['{"a":', '[[[[', '"__proto__":{}', '"KeyId":"a"', '\\u0022', 'true', '\u2028']

const names = Object.values(CONTRACT)
  .filter((rpc) => rpc.service.endsWith(KMS))
  .map(({ name }) => name)
const piece = fc.record({ at: fc.nat(), text: fc.constantFrom(...PIECES, ...PLACES) })
const body = fc.record({
  name: fc.constantFrom<RpcName | 'form'>(...names, 'form'),
  bytes: fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.json({ maxDepth: 20 }).map((text) => Buffer.from(text)),
    fc.record({
      member: fc.nat(),
      // Nothing, mostly: then the request is sound, but for what follows.
      value: fc.option(fc.jsonValue({ maxDepth: 8 }), { freq: 1 }),
      changes: fc.array(mutation, { maxLength: 2 }),
      pieces: fc.array(piece, { maxLength: 2 }),
    }),
  ),
})
type Body = typeof body extends fc.Arbitrary<infer T> ? T : never

const FORM = Buffer.from(
  'Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fx' +
    '&RoleSessionName=a&DurationSeconds=900&Tags.member.1.Key=a&Tags.member.1.Value=%C3%A9',
)

function bytesOf({ name, bytes }: Body): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes
  const { member, value, changes, pieces } = bytes
  const example = name === 'form' ? {} : exampleOf(CONTRACT[name].request)
  const members = Object.keys(example)
  const changed = members[member % members.length]
  if (value !== null && changed !== undefined) example[changed] = value
  const sound = name === 'form' ? FORM : Buffer.from(JSON.stringify(example))
  return pieces.reduce(
    (text, { at, text: inserted }) => {
      const place = at % (text.length + 1)
      return Buffer.concat([text.subarray(0, place), Buffer.from(inserted), text.subarray(place)])
    },
    changes.reduce(mutated, sound),
  )
}

/** Sends a body; answers the failure's name, or `ok`. */
async function outcomeOf(name: RpcName | 'form', sent: Buffer): Promise<string> {
  const host = service.awsEndpoint
  const asForm = { service: 'sts', headers: { 'content-type': FORM_TYPE } }
  const how = name === 'form' ? asForm : { operation: name }
  const signed = sign(key, { ...how, body: sent, host, timeMs: Date.now() })
  const { status, json, text } = await send(`http://${host}`, signed, { agent })
  if (status === 200) return 'ok'
  const [, code] = /<Code>(\w+)<\/Code>/.exec(text) ?? []
  const failure = String(json.__type ?? code)
  if (status < 400 || status >= 500) throw new Error(`${name}: ${status} ${failure}`)
  return failure
}

function residentMiB(): number {
  if (process.platform !== 'linux') return 0
  const text = readFileSync(`/proc/${service.doorPid()}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(text)?.[1]) / 1024
}

/** How long the door's event loop has stood still at most since this was asked last. */
async function stallMs(): Promise<number> {
  const metrics = await (await fetch(`http://${service.statusEndpoint}/metrics`)).text()
  return 1000 * Number(/^nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(metrics)?.[1])
}

test('each is answered, and none of them is a fault of the service', {
  timeout: TEST_MS,
}, async () => {
  const seed = Math.trunc(Math.random() * 2 ** 31)
  const outcomes = new Map<string, number>()
  const stallsMs: number[] = []
  let beforeMiB = 0
  await stallMs()
  for (let done = 0; done < BODIES; done += BATCH) {
    const left = fc.sample(body, { seed: seed + done, numRuns: BATCH }).values()
    const sendOn = async () => {
      for (const each of left) {
        const sent = bytesOf(each)
        const outcome = await outcomeOf(each.name, sent)
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
        const fault = FAILURES[outcome as FailureName]?.fault ?? 'caller'
        if (fault !== 'caller')
          throw new Error(`${each.name} ${sent.toString('hex')}: ${outcome}; seed ${seed}`)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, sendOn))
    stallsMs.push(await stallMs())
    if (beforeMiB === 0) beforeMiB = residentMiB()
    if (FULL && done % 10_000 === 0) console.log(`${done} bodies, ${residentMiB().toFixed(0)} MiB`)
  }
  const counts = [...outcomes].toSorted(([, one], [, other]) => other - one)
  const sorted = stallsMs.toSorted((one, other) => one - other)
  console.log(
    `${BODIES} bodies, seed ${seed}: ${counts.map(([name, count]) => `${count} ${name}`).join(', ')};` +
      ` resident ${beforeMiB.toFixed(0)} MiB after the first ${BATCH}, ${residentMiB().toFixed(0)} now;` +
      ` the longest stall of ${BATCH} bodies: ${sorted[sorted.length >> 1]?.toFixed(0)} ms in the` +
      ` median, ${sorted.at(-1)?.toFixed(0)} ms at most`,
  )
  expect(outcomes.get('SerializationException')).toBeGreaterThan(BODIES / 10)
  expect(residentMiB() - beforeMiB).toBeLessThan(GROWTH_MAX_MIB)
  const random = await service.client.call('GenerateRandom', { numberOfBytes: 8 })
  expect(random.plaintext).toHaveLength(8)
})

/** Reads a body as the door and the pipeline do; answers the failure's name, or `ok`. */
function readingOf(name: RpcName | 'form', body: Buffer): string {
  const contentType = name === 'form' ? FORM_TYPE : JSON_TYPE
  const headers = new Map([
    ['content-type', [contentType]],
    ['x-amz-target', [`TrentService.${name}`]],
  ])
  try {
    const asked = protocolOf({ headers }).asked({ method: 'POST', target: '/', headers, body }, '')
    const decoded = asked.decode()
    const request = validated(CONTRACT[asked.name].request, decoded)
    OPERATIONS[asked.name].check?.(request as never)
    return 'ok'
  } catch (error) {
    if (error instanceof KmsError && error.fault === 'caller') return error.name
    throw error
  }
}

/** Milliseconds of the processor; blobs are decoded in place, so that each reading has a copy. */
function readingMs(name: RpcName | 'form', body: Buffer): { outcome: string; ms: number } {
  const copy = Buffer.from(body)
  const began = process.threadCpuUsage()
  const outcome = readingOf(name, copy)
  const { user, system } = process.threadCpuUsage(began)
  return { outcome, ms: (user + system) / 1000 }
}

test('none takes long to read, and none is kept', { timeout: TEST_MS }, () => {
  const seed = Math.trunc(Math.random() * 2 ** 31)
  const outcomes = new Map<string, number>()
  let mostMs = 0
  let beforeMiB = 0
  for (let done = 0; done < READ_BODIES; done += BATCH) {
    for (const each of fc.sample(body, { seed: seed + done, numRuns: BATCH })) {
      const bytes = bytesOf(each)
      const { outcome, ms } = readingMs(each.name, bytes)
      // Garbage may be collected meanwhile; what takes long by itself does so again.
      const again = ms > AGAIN_MS ? [1, 2, 3].map(() => readingMs(each.name, bytes).ms) : []
      mostMs = Math.max(mostMs, Math.min(ms, ...again))
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    }
    if (done === 10 * BATCH) beforeMiB = process.memoryUsage.rss() / 2 ** 20
  }
  const counts = [...outcomes].toSorted(([, one], [, other]) => other - one)
  const nowMiB = process.memoryUsage.rss() / 2 ** 20
  console.log(
    `${READ_BODIES} bodies read, seed ${seed}:` +
      ` ${counts.map(([name, count]) => `${count} ${name}`).join(', ')};` +
      ` ${mostMs.toFixed(1)} ms of the processor for one at most;` +
      ` resident ${beforeMiB.toFixed(0)} MiB after ${11 * BATCH}, ${nowMiB.toFixed(0)} now`,
  )
  expect(mostMs).toBeLessThan(READ_MS_MAX)
  expect(nowMiB - beforeMiB).toBeLessThan(GROWTH_MAX_MIB)
})

/**
 * Bytes that are no request, or nearly one, to every method of a whole service: each is answered,
 * none with a fault of the service's, and the service goes on. 100,000 of them with
 * KEYSLOT_FAULTS=full.
 */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import { Client as Channel, ChannelCredentials, Metadata, status } from '@grpc/grpc-js'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CONTRACT, type FieldContract, type MessageContract } from '../../src/contract/contract.ts'
import { DETAILS_TRAILER, decodeErrorDetails } from '../../src/contract/error-details.ts'
import { encodeMessage } from '../../src/contract/wire.ts'
import { FAILURES, type FailureName } from '../../src/model/failures.ts'
import type { RpcName } from '../../src/service.ts'
import { type ServiceProcess, serviceProcess } from '../service/service-process.ts'
import { mutated, mutation } from './mutations.ts'

const FULL = process.env.KEYSLOT_FAULTS === 'full'
const BODIES = FULL ? 100_000 : 1_000
const BATCH = 1_000
const AT_ONCE = 32
const TEST_MS = FULL ? 3_600_000 : 120_000
const GROWTH_MAX_MIB = 256
const DEADLINE_MS = 60_000

let service: ServiceProcess
let channel: Channel
let keyId: string
beforeAll(async () => {
  service = await serviceProcess()
  await service.start()
  keyId = (await service.client.call('CreateKey', {})).keyMetadata?.keyId ?? ''
  const read = (name: string) => readFileSync(join(service.home, 'tls', name))
  const context = createSecureContext({
    ca: read('ca.pem'),
    cert: read('root.pem'),
    key: read('root-key.pem'),
  })
  const endpoint = service.endpoint.replace('127.0.0.1', 'localhost')
  channel = new Channel(endpoint, ChannelCredentials.createFromSecureContext(context))
})
afterAll(async () => {
  channel?.close()
  await service?.remove()
})

/** Sends bytes as they are; answers the failure's name, or gRPC's where there is none of ours. */
function outcomeOf(name: RpcName, bytes: Buffer): Promise<string> {
  const asIs = (message: Buffer) => message
  const path = `/${CONTRACT[name].service}/${name}`
  const options = { deadline: Date.now() + DEADLINE_MS }
  return new Promise((resolve) => {
    channel.makeUnaryRequest(path, asIs, asIs, bytes, new Metadata(), options, (error) => {
      if (!error) return resolve('ok')
      const [details] = error.metadata.get(DETAILS_TRAILER)
      const ours = Buffer.isBuffer(details) ? decodeErrorDetails(details)?.reason : undefined
      resolve(ours ?? status[error.code] ?? 'unknown')
    })
  })
}

/** A request that has every field. */
function exampleOf({ fields }: MessageContract): Record<string, unknown> {
  return Object.fromEntries(
    fields.map((field) => {
      const value = exampleValue(field)
      return [field.name, field.repeated && field.holds.kind !== 'map' ? [value] : value]
    }),
  )
}

function exampleValue({ name, holds }: FieldContract): unknown {
  if (name === 'keyId') return keyId
  switch (holds.kind) {
    case 'string':
      return `alias/${name}`
    case 'bytes':
      return Buffer.alloc(32, name)
    case 'bool':
      return false
    case 'int32':
      return 7
    case 'timestamp':
      return new Date(0)
    case 'map':
      return new Map([['purpose', 'fuzz']])
    case 'enum':
      return holds.enum.names[0]
    case 'message':
      return exampleOf(holds.message)
  }
}

const names = Object.keys(CONTRACT) as RpcName[]
const body = fc.record({
  name: fc.constantFrom(...names),
  bytes: fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.array(mutation, { minLength: 1, maxLength: 4 }),
  ),
})

function residentMiB(): number {
  if (process.platform !== 'linux') return 0
  const text = readFileSync(`/proc/${service.doorPid()}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(text)?.[1]) / 1024
}

test('each is answered, and none of them is a fault of the service', {
  timeout: TEST_MS,
}, async () => {
  const seed = Math.trunc(Math.random() * 2 ** 31)
  const examples = new Map(
    names.map((name) => [
      name,
      encodeMessage(CONTRACT[name].request, exampleOf(CONTRACT[name].request)),
    ]),
  )
  const outcomes = new Map<string, number>()
  let beforeMiB = 0
  for (let done = 0; done < BODIES; done += BATCH) {
    const left = fc.sample(body, { seed: seed + done, numRuns: BATCH }).values()
    const sendOn = async () => {
      for (const { name, bytes } of left) {
        const example = examples.get(name) ?? Buffer.alloc(0)
        const sent = Buffer.isBuffer(bytes) ? bytes : bytes.reduce(mutated, example)
        const outcome = await outcomeOf(name, sent)
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
        const isOurs = Object.hasOwn(FAILURES, outcome)
        const isSound =
          outcome === 'ok' || (isOurs && FAILURES[outcome as FailureName].fault === 'caller')
        if (!isSound) throw new Error(`${name} ${sent.toString('hex')}: ${outcome}; seed ${seed}`)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, sendOn))
    if (beforeMiB === 0) beforeMiB = residentMiB()
  }
  const counts = [...outcomes].toSorted(([, one], [, other]) => other - one)
  console.log(
    `${BODIES} bodies, seed ${seed}: ${counts.map(([name, count]) => `${count} ${name}`).join(', ')};` +
      ` resident ${beforeMiB.toFixed(0)} MiB after the first ${BATCH}, ${residentMiB().toFixed(0)} now`,
  )
  expect(outcomes.get('ValidationException')).toBeGreaterThan(BODIES / 4)
  expect(residentMiB() - beforeMiB).toBeLessThan(GROWTH_MAX_MIB)
  const random = await service.client.call('GenerateRandom', { numberOfBytes: 8 })
  expect(random.plaintext).toHaveLength(8)
})

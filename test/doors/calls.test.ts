/** Calls through the gRPC door: what arrives, what is refused, and how failures are told. */

import type { OutgoingHttpHeaders } from 'node:http2'
import { createSecureContext } from 'node:tls'
import { gzipSync } from 'node:zlib'
import {
  Client as Channel,
  ChannelCredentials,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Client } from '../../src/client/client.ts'
import { CONTRACT, SERVICE_NAMES } from '../../src/contract/contract.ts'
import { DETAILS_TRAILER, decodeErrorDetails } from '../../src/contract/error-details.ts'
import { encodeMessage } from '../../src/contract/wire.ts'
import { FAILURES, type FailureName, fail, GRPC_STATUS } from '../../src/model/failures.ts'
import type { CallLimits } from '../../src/pkcs11/hsm.ts'
import type { RpcName } from '../../src/service.ts'
import {
  ACCOUNT,
  callHeaders,
  eventually,
  framed,
  http2Session,
  ROOT_ARN,
  type SeenCall,
  type TriedDoor,
  tlsOf,
  toldGone,
  tryDoor,
} from './door.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

let tried: TriedDoor
let client: Client
let raw: Channel
/** What the pipeline does; a test says so. */
let run: (name: RpcName, call: SeenCall) => Promise<unknown>

beforeAll(async () => {
  tried = await tryDoor((name, call) => run(name, call))
  client = tried.client()
  const credentials = ChannelCredentials.createFromSecureContext(createSecureContext(tlsOf(tried)))
  raw = new Channel(tried.door.address.replace('127.0.0.1', 'localhost'), credentials)
})
afterAll(async () => {
  raw.close()
  await tried[Symbol.asyncDispose]()
})
beforeEach(() => {
  run = async (_name, call) => {
    await call.authenticate()
    call.request()
    return {}
  }
})

interface RawAnswer {
  readonly response?: Buffer
  readonly error?: ServiceError
  readonly trailers: Metadata
}

/** Sends bytes as they are. */
function sendRaw(name: string, bytes: Buffer, metadata = new Metadata()): Promise<RawAnswer> {
  const asIs = (message: Buffer) => message
  return new Promise((resolve) => {
    let trailers = new Metadata()
    const service = CONTRACT[name as RpcName]?.service ?? SERVICE_NAMES[0]
    const path = `/${service}/${name}`
    const call = raw.makeUnaryRequest(path, asIs, asIs, bytes, metadata, (error, response) => {
      setImmediate(() => resolve({ ...(error ? { error } : { response }), trailers }))
    })
    call.on('status', ({ metadata: given }) => {
      trailers = given
    })
  })
}

/** Sends a frame that grpc-js would not send; answers the status. */
async function sendFrame(frame: Buffer, headers: OutgoingHttpHeaders): Promise<number> {
  const session = http2Session(tried)
  try {
    const stream = session.request({ ...callHeaders('ListKeys'), ...headers })
    const answered = new Promise<number>((resolve, reject) => {
      stream.on('response', (given) => resolve(Number(given['grpc-status'])))
      stream.on('error', reject)
    })
    stream.end(frame)
    return await answered
  } finally {
    session.destroy()
  }
}

test('a call reaches the pipeline with what the door knows of it', async () => {
  const seen: SeenCall[] = []
  run = async (_name, call) => {
    seen.push(call)
    const { keyId, plaintext } = call.request() as { keyId: string; plaintext: Buffer }
    return { keyId, ciphertextBlob: Buffer.from(`<${plaintext}>`) }
  }
  const response = await client.call(
    'Encrypt',
    { keyId: 'alias/a', plaintext: Buffer.from('secret') },
    { deadlineMs: 5_000 },
  )
  expect(response.ciphertextBlob?.toString()).toBe('<secret>')
  expect(response.keyId).toBe('alias/a')
  const [call] = seen
  expect(call).toMatchObject({ door: 'grpc', sourceAddress: '127.0.0.1' })
  expect(call?.requestId).toMatch(UUID)
  expect(call?.userAgent).toMatch(/^grpc-node-js\//)
  expect(await call?.authenticate()).toEqual({ arn: ROOT_ARN, account: ACCOUNT, kind: 'root' })
  const { deadlineMs = 0, signal } = call?.limits ?? {}
  expect(deadlineMs - Date.now()).toBeGreaterThan(3_000)
  expect(deadlineMs - Date.now()).toBeLessThanOrEqual(5_000)
  expect(signal?.aborted).toBe(false)
})

test('request and response are wiped once the call has been answered', async () => {
  let plaintext: Buffer = Buffer.alloc(0)
  run = async (_name, call) => {
    plaintext = (call.request() as { plaintext: Buffer }).plaintext
    return { keyId: 'a', ciphertextBlob: plaintext }
  }
  const sent = Buffer.alloc(4096, 'x')
  const { ciphertextBlob } = await client.call('Encrypt', { keyId: 'a', plaintext: sent })
  expect(ciphertextBlob?.equals(sent)).toBe(true)
  expect(plaintext.every((byte) => byte === 0)).toBe(true)
})

test.each(Object.keys(FAILURES) as FailureName[])(
  'P12: %s keeps name, status and message',
  async (name) => {
    let requestId = ''
    run = async (_name, call) => {
      requestId = call.requestId
      fail(name, `Because of ${name}: ½ 😀 100 %\n`)
    }
    const error = await client.call('ListKeys', {}).catch((cause) => cause)
    expect(error).toMatchObject({
      name,
      message: `Because of ${name}: ½ 😀 100 %\n`,
      grpcStatus: GRPC_STATUS[FAILURES[name].grpc],
      requestId,
    })
    const raw = await sendRaw('ListKeys', Buffer.alloc(0))
    // Beside the failure there is no answer, not even an empty one.
    expect(raw.response).toBeUndefined()
    expect(raw.trailers.get('keyslot-request-id')).toEqual([requestId])
    expect(raw.error?.details).toBe(error.message)
    const [details] = raw.trailers.get(DETAILS_TRAILER)
    expect(decodeErrorDetails(details as Buffer)).toEqual({
      code: error.grpcStatus,
      message: error.message,
      reason: name,
      requestId,
    })
  },
)

test('a failure may answer another status than its own', async () => {
  run = async () => fail('KMSInternalException', 'The HSM is away.', { grpc: 'UNAVAILABLE' })
  await expect(client.call('ListKeys', {})).rejects.toMatchObject({
    name: 'KMSInternalException',
    grpcStatus: status.UNAVAILABLE,
  })
})

test('an error that is none of ours is internal, and says nothing', async () => {
  run = async () => {
    throw new Error('password is hunter2')
  }
  await expect(client.call('ListKeys', {})).rejects.toMatchObject({
    name: 'KMSInternalException',
    grpcStatus: status.INTERNAL,
    message: 'The request failed because of an internal error.',
  })
})

test('any message can be sent: half a surrogate pair, control characters, great length', async () => {
  const awkward = ['half \ud83d', '\0\r\n\x7f', '%zz %', '½'.repeat(100_000), 'x'.repeat(100_000)]
  for (const message of awkward) {
    run = async () => fail('ValidationException', message)
    const { error, trailers } = await sendRaw('ListKeys', Buffer.alloc(0))
    expect(error?.code).toBe(status.INVALID_ARGUMENT)
    expect(error?.details.slice(0, 20)).toBe(message.toWellFormed().slice(0, 20))
    const [details] = trailers.get(DETAILS_TRAILER)
    expect((details as Buffer).length).toBeLessThan(3_000)
  }
})

test('the client does not choose the request id', async () => {
  const metadata = new Metadata()
  metadata.set('keyslot-request-id', 'mine')
  const { trailers } = await sendRaw('ListKeys', Buffer.alloc(0), metadata)
  const [requestId, ...more] = trailers.get('keyslot-request-id')
  expect(requestId).toMatch(UUID)
  expect(more).toEqual([])
})

test('a method that does not exist is unimplemented', async () => {
  for (const name of ['Nothing', 'encrypt', 'Encrypt/', '__proto__', 'ListKeys?a', '½'])
    expect((await sendRaw(encodeURI(name), Buffer.alloc(0))).error?.code).toBe(status.UNIMPLEMENTED)
})

test('a request of 64 KiB is read, one of a byte more is not', async () => {
  let read = 0
  run = async (_name, call) => {
    read = (call.request() as { description: string }).description.length
    return {}
  }
  const overhead =
    encodeMessage(CONTRACT.UpdateKeyDescription.request, {
      keyId: 'a',
      description: 'x'.repeat(60_000),
    }).length - 60_000
  const ofBytes = (bytes: number) =>
    client.call('UpdateKeyDescription', { keyId: 'a', description: 'x'.repeat(bytes - overhead) })
  await ofBytes(65_536)
  expect(read).toBe(65_536 - overhead)
  await expect(ofBytes(65_537)).rejects.toMatchObject({
    name: 'RESOURCE_EXHAUSTED',
    message: 'Received message larger than max (65537 vs 65536)',
  })
  await ofBytes(65_536)
})

test('a compressed request is bounded by what it would become', async () => {
  let calls = 0
  run = async () => {
    calls += 1
    return {}
  }
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024))
  expect(bomb.length).toBeGreaterThan(60_000)
  const part = bomb.subarray(0, 60_000)
  for (const bytes of [part, gzipSync(Buffer.alloc(65_537)), Buffer.from('no gzip')]) {
    const frame = framed(bytes, true)
    const answer = await sendFrame(frame, { 'grpc-encoding': 'gzip' })
    expect([status.RESOURCE_EXHAUSTED, status.INTERNAL]).toContain(answer)
  }
  expect(calls).toBe(0)
})

test('bytes that are no request are refused, and the door stays', async () => {
  const names = Object.keys(CONTRACT) as RpcName[]
  const malformed = Buffer.from([0x0a, 0xff])
  for (const name of names) {
    const { error } = await sendRaw(name, malformed)
    expect(error?.code).toBe(status.INVALID_ARGUMENT)
  }
  let threw = 0
  run = async (_name, call) => {
    try {
      call.request()
    } catch (cause) {
      threw += 1
      throw cause
    }
    return {}
  }
  const outcomes = new Set<string | undefined>()
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...names),
      fc.uint8Array({ maxLength: 200 }),
      async (name, bytes) => {
        const { error, trailers } = await sendRaw(name, Buffer.from(bytes))
        const [details] = trailers.get(DETAILS_TRAILER)
        outcomes.add(details && decodeErrorDetails(details as Buffer)?.reason)
        return error === undefined || error.code === status.INVALID_ARGUMENT
      },
    ),
    { numRuns: 150 },
  )
  expect(threw).toBeGreaterThan(20)
  expect([...outcomes].filter((each) => each !== undefined)).toEqual(['ValidationException'])
  await client.call('ListKeys', {})
})

test('no more than 64 calls of an identity are at work; others are let in', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  let atWork = 0
  run = async () => {
    atWork += 1
    await promise
    return {}
  }
  // HTTP/2's own limit makes one connection wait; two of them go beyond.
  const [first, second] = [client, tried.client()]
  const calls = Array.from({ length: 70 }, (_, index) =>
    (index < 50 ? first : second).call('ListKeys', {}).then(
      () => 'ok',
      (error) => error.name,
    ),
  )
  await eventually(() => tried.refused.length).toBe(6)
  expect(atWork).toBe(64)
  const bob = tried.client(tried.issue('user/bob')).call('ListKeys', {})
  await eventually(() => atWork).toBe(65)
  resolve()
  await bob
  const outcomes = await Promise.all(calls)
  expect(outcomes.filter((each) => each === 'ok')).toHaveLength(64)
  expect(outcomes.filter((each) => each === 'ThrottlingException')).toHaveLength(6)
  expect(new Set(tried.refused)).toEqual(new Set(['ListKeys ThrottlingException']))
  await first.call('ListKeys', {})
})

test('no more calls are at work in all than the door allows', async () => {
  await using narrow = await tryDoor((name, call) => run(name, call), { maxInFlight: 3 })
  const { promise, resolve } = Promise.withResolvers<void>()
  run = async () => {
    await promise
    return {}
  }
  const calls = ['ann', 'bob', 'cy', 'dan'].map((user) =>
    narrow
      .client(narrow.issue(`user/${user}`))
      .call('ListKeys', {})
      .then(
        () => 'ok',
        (error) => error.name,
      ),
  )
  await eventually(() => narrow.refused.length).toBe(1)
  resolve()
  expect((await Promise.all(calls)).toSorted()).toEqual(['ThrottlingException', 'ok', 'ok', 'ok'])
})

test('a call whose deadline passes is answered, and its work is told', async () => {
  const aborted = Promise.withResolvers<void>()
  run = async (_name, call) => {
    toldGone(call).then(aborted.resolve, aborted.reject)
    await aborted.promise
    fail('RequestAbortedException', 'gone')
  }
  const error = await client.call('ListKeys', {}, { deadlineMs: 150 }).catch((cause) => cause)
  expect(error).toMatchObject({ name: 'DEADLINE_EXCEEDED', grpcStatus: status.DEADLINE_EXCEEDED })
  await aborted.promise
})

test('a deadline that has passed never reaches the pipeline', async () => {
  let calls = 0
  run = async () => {
    calls += 1
    return {}
  }
  for (const timeout of ['0m', '0n', '1n']) {
    const answer = await sendFrame(framed(Buffer.alloc(0)), { 'grpc-timeout': timeout })
    expect(answer).toBe(status.DEADLINE_EXCEEDED)
  }
  expect(calls).toBe(0)
})

test('a call that its client cancels is told to its work, which gives its place back at its end', async () => {
  const started = Promise.withResolvers<void>()
  const aborted = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<void>()
  await using narrow = await tryDoor((name, call) => run(name, call), { maxInFlight: 1 })
  run = async (_name, call) => {
    toldGone(call).then(aborted.resolve, aborted.reject)
    started.resolve()
    await ended.promise
    return {}
  }
  const controller = new AbortController()
  const lone = narrow.client()
  const call = lone.call('ListKeys', {}, { signal: controller.signal })
  await started.promise
  controller.abort()
  await expect(call).rejects.toMatchObject({ name: 'CANCELLED' })
  await aborted.promise
  await expect(lone.call('ListKeys', {})).rejects.toMatchObject({ name: 'ThrottlingException' })
  run = async () => ({})
  ended.resolve()
  await eventually(() => lone.call('ListKeys', {}).catch(() => undefined)).toBeDefined()
})

test('a call that has been answered is not told as cancelled', async () => {
  let signal: CallLimits['signal']
  run = async (_name, call) => {
    signal = call.limits.signal
    return {}
  }
  await client.call('ListKeys', {})
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(signal?.aborted).toBe(false)
})

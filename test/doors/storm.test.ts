/** Clients that mean ill, with a well-behaved one beside them: what they can take is bounded. */

import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'node:tls'
import { expect, test } from 'vitest'
import type { Client } from '../../src/client/client.ts'
import { callHeaders, eventually, framed, http2Session, tlsOf, tryDoor } from './door.ts'
import { runStorm } from './run-storm.ts'
import { trickle } from './trickle.ts'

/** Calls one after the other until told to stop; answers how long each took. */
async function behaveWell(client: Client, stop: AbortSignal): Promise<number[]> {
  const tookMs: number[] = []
  while (!stop.aborted) {
    const startMs = performance.now()
    await client.call('ListKeys', {}, { deadlineMs: 10_000 })
    tookMs.push(performance.now() - startMs)
    await sleep(5)
  }
  return tookMs
}

test('streams that are reset at once take no more than their share of the work', async () => {
  let atWork = 0
  let most = 0
  let storming = 0
  await using tried = await tryDoor(async (_name, call) => {
    const { arn } = await call.authenticate()
    if (arn.endsWith(':root')) {
      storming += 1
      atWork += 1
      most = Math.max(most, atWork)
      // Work that does not hear of the cancellation at once.
      await sleep(20)
      atWork -= 1
    }
    return { keys: [], truncated: false }
  })
  const good = tried.client(tried.issue('user/good'))
  await good.call('ListKeys', {})
  const stop = new AbortController()
  const behaving = behaveWell(good, stop.signal)
  const { streams } = await runStorm({
    kind: 'reset',
    url: `https://${tried.door.address}`,
    tls: tlsOf(tried),
    headers: callHeaders('ListKeys'),
    message: framed(Buffer.alloc(0)),
    durationMs: 2_000,
  })
  stop.abort()
  const tookMs = (await behaving).toSorted((a, b) => a - b)
  expect(streams).toBeGreaterThan(300)
  expect(most).toBeLessThanOrEqual(64)
  expect(storming).toBeLessThan(streams)
  // The well-behaved client was served all the while.
  expect(tookMs.length).toBeGreaterThan(20)
  expect(tookMs.at(-1)).toBeLessThan(2_000)
  await eventually(() => atWork).toBe(0)
})

test('requests that trickle in lapse, and cost the connection', async () => {
  await using tried = await tryDoor(async () => ({ keys: [], truncated: false }), {
    requestTimeoutMs: 300,
  })
  const session = http2Session(tried)
  const closed = new Promise((resolve) => session.once('close', resolve))
  const statuses: unknown[] = []
  const message = framed(Buffer.alloc(1000))
  for (let each = 0; each < 20; each += 1) {
    const stream = session.request(callHeaders('ListKeys'))
    stream.on('error', () => {})
    stream.on('response', (headers) => statuses.push(headers['grpc-status']))
    stream.write(message.subarray(0, 500))
  }
  const startMs = performance.now()
  await closed
  expect(performance.now() - startMs).toBeLessThan(3_000)
  expect(tried.log).toEqual([expect.stringContaining('requests that never get complete')])
  await tried.client().call('ListKeys', {})
})

test('requests in frames of one byte cost the connection, long before they cost memory', async () => {
  await using tried = await tryDoor(async () => ({ keys: [], truncated: false }))
  const [host = '', port] = tried.door.address.split(':')
  const sent = await trickle({
    host,
    port: Number(port),
    tls: tlsOf(tried),
    headers: callHeaders('ListKeys'),
    beginning: framed(Buffer.alloc(60_000)).subarray(0, 5),
    streams: 64,
  })
  expect(sent).toBeLessThan(8 * 1024 * 1024)
  expect(tried.log).toEqual([expect.stringContaining('bytes that come to no request')])
  await tried.client().call('ListKeys', {})
})

test('a client that sends all that it may is not cut off', async () => {
  await using tried = await tryDoor(async () => ({}))
  const client = tried.client()
  const description = 'x'.repeat(65_000)
  const untilMs = performance.now() + 1_500
  const senders = Array.from({ length: 64 }, async () => {
    while (performance.now() < untilMs) {
      await client.call('UpdateKeyDescription', { keyId: 'a', description })
    }
  })
  await Promise.all(senders)
  expect(tried.log).toEqual([])
})

test('a single request that trickles in is answered, and its connection stays', async () => {
  await using tried = await tryDoor(async () => ({ keys: [], truncated: false }), {
    requestTimeoutMs: 200,
  })
  const session = http2Session(tried)
  const answerOf = (body: Buffer, whole: boolean) =>
    new Promise<unknown>((resolve, reject) => {
      const stream = session.request(callHeaders('ListKeys'))
      stream.on('error', reject)
      stream.on('response', (headers) => resolve(headers['grpc-status'] ?? 'answered'))
      stream.write(body)
      if (whole) stream.end()
    })
  const message = framed(Buffer.alloc(0))
  expect(await answerOf(message.subarray(0, 3), false)).toBe('4')
  expect(await answerOf(message, true)).toBe('answered')
  session.destroy()
  expect(tried.log).toEqual([])
})

test('an identity has no more connections than it may, and others have theirs', async () => {
  await using tried = await tryDoor(async () => ({ keys: [], truncated: false }), {
    maxConnectionsPerIdentity: 2,
  })
  const [first, second, third] = [tried.client(), tried.client(), tried.client()]
  await first.call('ListKeys', {})
  await second.call('ListKeys', {})
  await expect(third.call('ListKeys', {}, { deadlineMs: 1_000 })).rejects.toMatchObject({
    name: 'UNAVAILABLE',
  })
  await tried.client(tried.issue('user/bob')).call('ListKeys', {})
  first.close()
  await eventually(() => third.call('ListKeys', {}).catch(() => undefined)).toBeDefined()
  expect(tried.log[0]).toContain('too many connections of one identity')
})

test('a client without a certificate, or without h2, gets nowhere', async () => {
  await using tried = await tryDoor(async () => ({ keys: [], truncated: false }))
  const [host, port] = tried.door.address.split(':')
  const { ca, cert, key } = tlsOf(tried)
  const talk = (options: object) =>
    new Promise<string>((resolve) => {
      const socket = connect({ host, port: Number(port), ca, ...options })
      let heard = ''
      socket.on('data', (data) => {
        heard += data.toString('latin1')
      })
      socket.on('error', ({ message }) => resolve(message))
      socket.on('close', () => resolve(heard))
      socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    })
  // Cut before a byte of HTTP/2 is read or sent: only now is it known whether tokens are taken.
  expect(await talk({ ALPNProtocols: ['h2'] })).toMatch(/^$|ECONNRESET|EPIPE/)
  expect(tried.log.join()).toContain('no certificate')
  expect(await talk({ ALPNProtocols: ['http/1.1'], cert, key })).toMatch(/no application protocol/)
  expect(await talk({ ALPNProtocols: ['h2'], cert, key, maxVersion: 'TLSv1.1' })).toMatch(
    /protocol version|no protocols available/,
  )
  await tried.client().call('ListKeys', {})
})

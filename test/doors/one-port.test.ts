/** Both doors on one port: each connection comes to the door that it is for, or is closed. */

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Agent, request as httpsRequest } from 'node:https'
import { connect as connectTcp, createServer, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { KMSClient, ListKeysCommand } from '@aws-sdk/client-kms'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { connect } from '../../src/client/client.ts'
import { readAlpn } from '../../src/doors/client-hello.ts'
import { addressOf, listen } from '../../src/doors/listener.ts'
import { startTestService } from '../harness.ts'
import { accessKeyOf } from './aws/clients/environment.ts'
import { ADA, tryAwsDoor } from './aws/door.ts'
import { sign } from './aws/sign.ts'
import { eventually, readPair, tryDoor } from './door.ts'

/** Both doors; each answers a list of one key that is named after it. */
async function tryOnePort(awsTls: boolean, settings: { readonly requestTimeoutMs?: number } = {}) {
  const answerOf = (door: string) => async (_name: string, call: { request(): unknown }) => {
    call.request()
    return { keys: [{ keyId: door, keyArn: '' }], truncated: false }
  }
  const timeouts = { ...settings, handshakeTimeoutMs: settings.requestTimeoutMs }
  const grpc = await tryDoor(answerOf('grpc'), { listen: undefined, ...timeouts })
  const { server, ca } = grpc.authority
  const tls = { certificate: server.certificate, key: server.privateKey, clientCa: ca }
  const aws = await tryAwsDoor(answerOf('aws'), {
    tls: awsTls ? tls : undefined,
    toGrpc: grpc.door.take,
    ...settings,
  })
  const { address } = aws.door
  const [host = '', port] = address.split(':')
  return {
    grpc,
    aws,
    address,
    /** The door that answers a client of gRPC. */
    async viaGrpc(endpoint = address): Promise<string | undefined> {
      const client = connect({ endpoint, ca: grpc.ca, ...readPair(grpc.authority) })
      try {
        return (await client.call('ListKeys', {})).keys[0]?.keyId
      } finally {
        client.close()
      }
    },
    /** The door that answers a client of AWS's protocol. */
    async viaAws(alpn?: string[], at = address): Promise<string> {
      if (!awsTls) return JSON.stringify((await aws.call('ListKeys', {})).json)
      const timeMs = aws.now()
      const signed = sign(ADA, { operation: 'ListKeys', body: '{}', host: at, timeMs })
      const { promise, resolve, reject } = Promise.withResolvers<string>()
      const agent = new Agent({ ALPNProtocols: alpn, ca: readFileSync(ca) })
      const options = { method: 'POST', headers: signed.headers, agent }
      httpsRequest(`https://${at}`, options, async (answer) => {
        resolve(await text(answer))
      })
        .on('error', reject)
        .end(signed.body)
      return promise.finally(() => agent.destroy())
    },
    tcp: () => connectTcp({ host, port: Number(port) }).on('error', () => {}),
    tls: (ALPNProtocols?: string[]) =>
      connectTls({ host, port: Number(port), ALPNProtocols, ca: readFileSync(ca) }),
    async [Symbol.asyncDispose]() {
      await Promise.all([aws.door.stop(0), grpc[Symbol.asyncDispose]()])
    },
  }
}

/** A relay that hands on what a client says byte by byte at first. */
async function dribbling(to: string) {
  const [host = '', port] = to.split(':')
  const relay = createServer(async (client) => {
    const server = connectTcp({ host, port: Number(port), noDelay: true })
    client.on('error', () => {})
    server.on('error', () => {})
    server.pipe(client)
    let left = 40
    for await (const chunk of client) {
      for (const byte of (chunk as Buffer).subarray(0, left)) {
        server.write(Buffer.of(byte))
        await sleep(1)
      }
      server.write((chunk as Buffer).subarray(left))
      left = Math.max(0, left - chunk.length)
    }
    server.end()
  })
  await listen(relay, { host: '127.0.0.1', port: 0 })
  return { address: addressOf(relay), close: () => relay.close() }
}

/** What came until the other end closed. */
async function untilClosed(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(socket, 'close')
  return Buffer.concat(chunks).toString('latin1')
}

/** The first bytes of a client of TLS. */
async function clientHello(ALPNProtocols?: string[]): Promise<Buffer> {
  const server = createServer()
  await listen(server, { host: '127.0.0.1', port: 0 })
  const [host = '', port] = addressOf(server).split(':')
  const client = connectTls({ host, port: Number(port), ALPNProtocols }).on('error', () => {})
  const [socket] = (await once(server, 'connection')) as [Socket]
  const [chunk] = (await once(socket, 'data')) as [Buffer]
  client.destroy()
  socket.destroy()
  server.close()
  return chunk
}

describe.each([{ awsTls: false }, { awsTls: true }])(
  'on one port, AWS over TLS: $awsTls',
  ({ awsTls }) => {
    test('each client comes to its door, again and again', async () => {
      await using both = await tryOnePort(awsTls)
      for (let turn = 0; turn < 3; turn += 1) {
        expect(await both.viaGrpc()).toBe('grpc')
        expect(await both.viaAws()).toContain('"KeyId":"aws"')
      }
      const together = Array.from({ length: 8 }, () => Promise.all([both.viaGrpc(), both.viaAws()]))
      for (const [one, other] of await Promise.all(together)) {
        expect(one).toBe('grpc')
        expect(other).toContain('"aws"')
      }
    })

    test('also when its first bytes come one by one', async () => {
      await using both = await tryOnePort(awsTls)
      const relay = await dribbling(both.address)
      expect(await both.viaGrpc(relay.address)).toBe('grpc')
      if (awsTls) expect(await both.viaAws(undefined, relay.address)).toContain('"aws"')
      relay.close()
    })

    test('who says nothing, or nothing that is clear, is closed', async () => {
      await using both = await tryOnePort(awsTls, { requestTimeoutMs: 300 })
      const silent = both.tcp()
      const stalled = both.tcp()
      stalled.write((await clientHello()).subarray(0, 20))
      const bad = [both.tcp(), both.tcp(), both.tcp()]
      bad[0]?.write(Buffer.from([22, 3, 1, 0, 0, 0, 0]))
      bad[1]?.write(Buffer.concat([Buffer.from([22, 3, 1]), Buffer.alloc(300, 0x55)]))
      // A ClientHello without an end, in records as long as they may be.
      const record = Buffer.concat([Buffer.from([22, 3, 1, 0x40, 0]), Buffer.alloc(16_384, 0xff)])
      record.writeUInt8(1, 5)
      bad[2]?.write(Buffer.concat([record, record]))
      await Promise.all([silent, stalled, ...bad].map(untilClosed))
      expect(await both.viaGrpc()).toBe('grpc')
      expect(await both.viaAws()).toContain('"aws"')
    })

    test('a stop finishes what is under way at both, and waits for nobody else', async () => {
      const release = Promise.withResolvers<void>()
      let begun = 0
      const slow = async () => {
        begun += 1
        await release.promise
        return { keys: [], truncated: false }
      }
      const grpc = await tryDoor(slow, { listen: undefined })
      const { server, ca } = grpc.authority
      const tls = { certificate: server.certificate, key: server.privateKey, clientCa: ca }
      const aws = await tryAwsDoor(slow, { tls: awsTls ? tls : undefined, toGrpc: grpc.door.take })
      const client = connect({
        endpoint: aws.door.address,
        ca: grpc.ca,
        ...readPair(grpc.authority),
      })
      const [host = '', port] = aws.door.address.split(':')
      const undecided = connectTcp({ host, port: Number(port) })
      await once(undecided, 'connect')
      const call = client.call('ListKeys', {})
      await eventually(() => begun).toBe(1)
      const stopped = Promise.all([aws.door.stop(20_000), grpc.door.stop(20_000)])
      await untilClosed(undecided)
      release.resolve()
      await expect(call).resolves.toMatchObject({ keys: [] })
      client.close()
      const startMs = performance.now()
      await stopped
      expect(performance.now() - startMs).toBeLessThan(10_000)
      await grpc[Symbol.asyncDispose]()
    })
  },
)

test('a client of AWS that offers HTTP/2 too is answered in HTTP/1.1', async () => {
  await using both = await tryOnePort(true)
  expect(await both.viaAws(['h2', 'http/1.1'])).toContain('"aws"')
  const protocolOf = async (alpn?: string[]) => {
    const socket: TLSSocket = both.tls(alpn).on('error', () => {})
    await once(socket, 'secureConnect')
    const { alpnProtocol } = socket
    socket.destroy()
    return alpnProtocol
  }
  expect(await protocolOf(['h2', 'http/1.1'])).toBe('http/1.1')
  expect(await protocolOf(['h2'])).toBe('h2')
  expect(await protocolOf()).toBe(false)
})

test('HTTP that is none gets HTTP’s answer', async () => {
  await using both = await tryOnePort(false)
  const socket = both.tcp()
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  expect(await untilClosed(socket)).toMatch(/^HTTP\/1.1 (?:400|505) /)
})

describe('a ClientHello', () => {
  test('tells what its client offers, and is awaited until it is there', async () => {
    const hello = await clientHello(['h2', 'http/1.1'])
    expect(readAlpn(hello)).toEqual(['h2', 'http/1.1'])
    expect(readAlpn(await clientHello(['h2']))).toEqual(['h2'])
    expect(readAlpn(await clientHello())).toEqual([])
    for (let length = 0; length < hello.length; length += 1) {
      expect(readAlpn(hello.subarray(0, length))).toBe('incomplete')
    }
  })

  test('may come in several records, but not in any number', async () => {
    const body = (await clientHello(['h2'])).subarray(5)
    const inRecords = (count: number) => {
      const length = Math.ceil(body.length / count)
      const records = Array.from({ length: count }, (_, at) => {
        const part = body.subarray(length * at, length * (at + 1))
        return Buffer.concat([Buffer.from([22, 3, 1, 0, 0]), part])
      })
      for (const record of records) record.writeUInt16BE(record.length - 5, 3)
      return Buffer.concat(records.filter((record) => record.length > 5))
    }
    for (const count of [1, 2, 3, 16]) expect(readAlpn(inRecords(count))).toEqual(['h2'])
    expect(readAlpn(inRecords(40))).toBe('malformed')
  })

  test('that is changed anywhere is read or refused', async () => {
    const hello = await clientHello(['h2', 'http/1.1'])
    const change = fc.tuple(fc.nat({ max: hello.length - 1 }), fc.nat({ max: 255 }))
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 5 }), fc.nat(), (changes, cut) => {
        const changed = Buffer.from(hello)
        for (const [at, byte] of changes) changed.writeUInt8(byte, at)
        const read = readAlpn(changed.subarray(0, cut % (2 * hello.length)))
        expect(Array.isArray(read) || ['incomplete', 'malformed'].includes(String(read))).toBe(true)
      }),
      { numRuns: 5_000 },
    )
  })
})

test('a whole service on one port, with AWS’s SDK and a client of gRPC', async () => {
  const probe = createServer()
  await listen(probe, { host: '127.0.0.1', port: 0 })
  const address = addressOf(probe)
  await new Promise((resolve) => probe.close(resolve))
  const running = await startTestService({ grpcListen: address, awsListen: address })
  try {
    const { service, client, place, config } = running
    expect([service.grpcAddress, service.awsEndpoint]).toEqual([address, `http://${address}`])
    const { keys } = await client.call('ListKeys', {})
    running.moveClock(Date.now() - running.clock())
    const { region } = place
    const sdk = new KMSClient({
      endpoint: service.awsEndpoint,
      region,
      credentials: accessKeyOf(config.home),
    })
    const { Keys = [] } = await sdk.send(new ListKeysCommand())
    expect(Keys.map(({ KeyId }) => KeyId)).toEqual(keys.map(({ keyId }) => keyId))
    sdk.destroy()
  } finally {
    await running.stop()
  }
})

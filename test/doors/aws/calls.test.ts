/** Calls through the AWS door over real HTTP: what comes in, what goes out, and what is refused. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { Agent } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { ensureAuthority } from '../../../src/development/authority.ts'
import { KmsError } from '../../../src/model/failures.ts'
import type { CallLimits } from '../../../src/pkcs11/hsm.ts'
import { ACCOUNT, eventually } from '../door.ts'
import { ADA, ADA_FOR_NOW, CALLER, type SeenCall, tryAwsDoor } from './door.ts'
import { sign } from './sign.ts'

const KEY_ID = '1234abcd-12ab-34cd-56ef-1234567890ab'
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** A pipeline that asks what every pipeline asks, and answers. */
function answering(response: object = {}, seen: { call?: SeenCall; request?: object } = {}) {
  return async (_name: string, call: SeenCall) => {
    await call.authenticate()
    seen.call = call
    seen.request = call.request()
    return response
  }
}

describe('a call', () => {
  test('comes in in AWS’s terms, with who calls and from where', async () => {
    const seen: { call?: SeenCall; request?: object } = {}
    await using tried = await tryAwsDoor(answering({}, seen))
    const body = {
      KeyId: KEY_ID,
      Plaintext: Buffer.from('attack').toString('base64'),
      EncryptionContext: { __proto__x: '1', purpose: 'plan' },
      GrantTokens: ['a'],
      DryRun: null,
      SomethingNewer: { of: ['no', 'interest'] },
    }
    const { status } = await tried.call('Encrypt', body, { headers: { 'user-agent': 'test/1' } })
    expect(status).toBe(200)
    expect(seen.request).toMatchObject({
      keyId: KEY_ID,
      encryptionContext: new Map([
        ['__proto__x', '1'],
        ['purpose', 'plan'],
      ]),
      grantTokens: ['a'],
    })
    expect(await seen.call?.authenticate()).toEqual(CALLER)
    expect(seen.call).toMatchObject({
      door: 'aws',
      requestId: expect.stringMatching(UUID),
      sourceAddress: '127.0.0.1',
      userAgent: 'test/1',
    })
  })

  test('a member named __proto__ is one like any other', async () => {
    const seen: { request?: { encryptionContext?: Map<string, string> } } = {}
    await using tried = await tryAwsDoor(answering({}, seen))
    await tried.call(
      'Encrypt',
      `{"KeyId":"${KEY_ID}","Plaintext":"","__proto__":{"x":1},"EncryptionContext":{"__proto__":"p"}}`,
    )
    expect([...(seen.request?.encryptionContext ?? [])]).toEqual([['__proto__', 'p']])
    expect(Object.getPrototypeOf(seen.request)).toBe(Object.prototype)
  })

  test('is answered in JSON, with the id of the request and the time', async () => {
    const response = {
      keyMetadata: {
        keyId: KEY_ID,
        description: 'naïve “quotes” \u0001 😀',
        enabled: true,
        creationDate: new Date(1_571_872_927_881),
        keyState: 'Enabled',
      },
    }
    await using tried = await tryAwsDoor(answering(response))
    tried.aheadMs = 3_600_000
    const { status, headers, json } = await tried.call('DescribeKey', { KeyId: KEY_ID })
    expect(status).toBe(200)
    expect(json).toEqual({
      KeyMetadata: {
        KeyId: KEY_ID,
        Description: 'naïve “quotes” \u0001 😀',
        Enabled: true,
        CreationDate: 1_571_872_927.881,
        KeyState: 'Enabled',
      },
    })
    expect(headers['content-type']).toBe('application/x-amz-json-1.1')
    expect(headers['x-amzn-requestid']).toMatch(UUID)
    // The door's clock, by which a client corrects its own.
    expect(Math.abs(Date.parse(headers.date ?? '') - tried.now())).toBeLessThan(5_000)
  })

  test('is answered with no bytes where AWS has none, and with blobs in base64', async () => {
    await using tried = await tryAwsDoor(async (name, call) => {
      await call.authenticate()
      call.request()
      return name === 'EnableKey'
        ? {}
        : { plaintext: Buffer.from([0xfb, 0xff, 0xfe]), ciphertextBlob: Buffer.from('ab') }
    })
    expect((await tried.call('EnableKey', { KeyId: KEY_ID })).text).toBe('')
    expect((await tried.call('GenerateDataKey', { KeyId: KEY_ID })).json).toEqual({
      CiphertextBlob: 'YWI=',
      Plaintext: '+//+',
    })
  })

  test('fails with AWS’s name, message and status', async () => {
    await using tried = await tryAwsDoor(async (name) => {
      throw name === 'Encrypt'
        ? new KmsError('DisabledException', 'the key \ud800 is disabled')
        : new Error('of no concern to callers')
    })
    const disabled = await tried.call('Encrypt', {})
    expect(disabled.status).toBe(400)
    expect(disabled.json).toEqual({
      __type: 'DisabledException',
      message: 'the key \ufffd is disabled',
    })
    expect(disabled.headers['x-amzn-requestid']).toMatch(UUID)
    const broken = await tried.call('Decrypt', {})
    expect(broken.status).toBe(500)
    expect(broken.json).toEqual({
      __type: 'KMSInternalException',
      message: 'The request failed because of an internal error.',
    })
  })

  test('follows another on the same connection, also after a failure', async () => {
    await using tried = await tryAwsDoor(answering())
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ports = new Set<unknown>()
    for (const body of ['{}', '{"KeyId":1}', '{}']) {
      const { headers } = await tried.call('Decrypt', body, { send: { agent } })
      ports.add(headers.connection)
    }
    expect([...ports]).toEqual(['keep-alive'])
    agent.destroy()
  })

  test('is told when its client goes away', async () => {
    let signal: CallLimits['signal']
    const arrived = Promise.withResolvers<void>()
    await using tried = await tryAwsDoor(async (_name, { limits }) => {
      signal = limits.signal
      arrived.resolve()
      await setTimeout(100)
      return {}
    })
    const { headers, body } = sign(ADA, {
      operation: 'Decrypt',
      body: '{}',
      host: tried.host,
      timeMs: tried.now(),
    })
    const socket = connect(Number(tried.host.split(':')[1]), '127.0.0.1')
    const lines = Object.entries({ ...headers, 'content-length': body.length })
    socket.write(`POST / HTTP/1.1\r\n${lines.map(([n, v]) => `${n}: ${v}\r\n`).join('')}\r\n{}`)
    await arrived.promise
    expect(signal?.aborted).toBe(false)
    socket.destroy()
    await eventually(() => signal?.aborted).toBe(true)
  })
})

describe('what is no call', () => {
  test.each([
    ['GET', '/', {}],
    ['PUT', '/', {}],
    ['POST', '/keys', {}],
    ['POST', '/?X-Amz-Signature=00', {}],
    ['POST', '/', { 'x-amz-target': 'TrentService.NoSuchOperation' }],
    ['POST', '/', { 'x-amz-target': 'TrentService.__proto__' }],
    ['POST', '/', { 'x-amz-target': 'TrentService.RotateDueKey' }],
    ['POST', '/', { 'x-amz-target': 'TrentService.CreateUser' }],
    ['POST', '/', { 'x-amz-target': 'TrentService.GetCallerIdentity' }],
    ['POST', '/', { 'x-amz-target': 'DynamoDB_20120810.Encrypt' }],
    ['POST', '/', { 'content-type': 'application/json' }],
    ['POST', '/', { 'content-type': 'application/x-amz-json-1.0' }],
  ])('%s %s %j is an unknown operation', async (method, path, headers) => {
    await using tried = await tryAwsDoor(answering())
    const { status, json } = await tried.call('Encrypt', {}, { headers, send: { method, path } })
    expect(status).toBe(404)
    expect(json).toMatchObject({ __type: 'UnknownOperationException' })
  })

  test('a body that is too long, said or not', async () => {
    await using tried = await tryAwsDoor(answering())
    const long = `{"KeyId":"${'a'.repeat(65_536 - 12)}"}`
    expect(Buffer.byteLength(long)).toBe(65_536)
    expect((await tried.call('Encrypt', long)).status).toBe(200)
    const chunked: Record<string, string> = { 'transfer-encoding': 'chunked' }
    for (const headers of [{}, chunked]) {
      const { status, json } = await tried.call('Encrypt', `${long} `, { headers })
      expect(status).toBe(413)
      expect(json).toMatchObject({ __type: 'RequestEntityTooLargeException' })
    }
  })

  test('a body that is compressed', async () => {
    await using tried = await tryAwsDoor(answering())
    const { json } = await tried.call('Encrypt', {}, { headers: { 'content-encoding': 'gzip' } })
    expect(json).toMatchObject({ __type: 'SerializationException' })
  })

  test('bytes that are no HTTP, and headers that are folded', async () => {
    await using tried = await tryAwsDoor(answering())
    for (const head of [
      '\x16\x03\x01\x02\x00',
      'POST / HTTP/1.1\r\nhost: a\r\nx-a: b\r\n c\r\n\r\n',
    ]) {
      const socket = connect(Number(tried.host.split(':')[1]), '127.0.0.1')
      socket.end(head)
      expect(await text(socket)).toMatch(/^HTTP\/1.1 400 /)
    }
  })
})

describe('limits', () => {
  test('a request that takes too long to arrive is cut off', async () => {
    await using tried = await tryAwsDoor(answering(), { requestTimeoutMs: 200 })
    const socket = connect(Number(tried.host.split(':')[1]), '127.0.0.1')
    socket.write('POST / HTTP/1.1\r\nhost: a\r\n')
    expect(await text(socket)).toMatch(/^HTTP\/1.1 408 /)
  })

  test('calls at work for one caller', async () => {
    const waiting: (() => void)[] = []
    await using tried = await tryAwsDoor(
      async () => {
        await new Promise<void>((resolve) => waiting.push(resolve))
        return {}
      },
      { maxInFlightPerIdentity: 2 },
    )
    const first = [tried.call('Decrypt', {}), tried.call('Decrypt', {})]
    await eventually(() => waiting.length).toBe(2)
    const { status, json } = await tried.call('Decrypt', {})
    expect(status).toBe(400)
    expect(json).toMatchObject({ __type: 'ThrottlingException' })
    expect(tried.refused).toEqual(['Decrypt ThrottlingException'])
    for (const resolve of waiting) resolve()
    expect((await Promise.all(first)).map((each) => each.status)).toEqual([200, 200])
  })

  test('calls at work for nobody, which keep out no caller who is known', async () => {
    const waiting: (() => void)[] = []
    await using tried = await tryAwsDoor(
      async (_name, call) => {
        try {
          await call.authenticate()
          return {}
        } catch (refusal) {
          await new Promise<void>((resolve) => waiting.push(resolve))
          throw refusal
        }
      },
      { maxInFlightPerIdentity: 2 },
    )
    const key = { ...ADA, secretAccessKey: 'another' }
    const first = [tried.call('Decrypt', {}, { key }), tried.call('Decrypt', {}, { key })]
    await eventually(() => waiting.length).toBe(2)
    const third = await tried.call('Decrypt', {}, { key })
    expect(third.json).toMatchObject({ __type: 'ThrottlingException' })
    expect((await tried.call('Decrypt', {})).status).toBe(200)
    for (const resolve of waiting) resolve()
    expect((await Promise.all(first)).map((each) => each.status)).toEqual([400, 400])
  })

  test('stopping waits for calls under way', async () => {
    const tried = await tryAwsDoor(async () => {
      await setTimeout(100)
      return {}
    })
    const call = tried.call('EnableKey', {})
    await setTimeout(30)
    await tried.door.stop(5_000)
    expect((await call).status).toBe(200)
    await expect(tried.call('EnableKey', {})).rejects.toThrow()
  })
})

describe('who calls', () => {
  test('temporary credentials, as long as they last', async () => {
    await using tried = await tryAwsDoor(answering())
    const call = () => tried.call('EnableKey', {}, { key: ADA_FOR_NOW })
    expect((await call()).status).toBe(200)
    tried.aheadMs = 3_600_001
    expect((await call()).json).toEqual({
      __type: 'ExpiredTokenException',
      message: 'The security token included in the request is expired',
    })
  })

  test.each([
    { ...ADA, accessKeyId: 'AKIDEXAMPLE999999999' },
    { ...ADA, sessionToken: 'none' },
    { ...ADA_FOR_NOW, sessionToken: undefined },
    { ...ADA_FOR_NOW, sessionToken: 'another' },
    { ...ADA, accessKeyId: '__proto__' },
  ])('nobody has the access key $accessKeyId with the token $sessionToken', async (key) => {
    await using tried = await tryAwsDoor(answering())
    expect((await tried.call('ListKeys', {}, { key })).json).toEqual({
      __type: 'UnrecognizedClientException',
      message: 'The security token included in the request is invalid.',
    })
  })
})

test('serves over TLS when given a certificate', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'keyslot-aws-'))
  try {
    const { ca, server } = ensureAuthority(directory, { account: ACCOUNT, clock: Date.now })
    const tls = { certificate: server.certificate, key: server.privateKey, clientCa: ca }
    await using tried = await tryAwsDoor(answering(), { tls })
    expect(tried.door.endpoint).toMatch(/^https:/)
    const { headers, body } = sign(ADA, {
      operation: 'EnableKey',
      body: '{}',
      host: tried.host,
      timeMs: tried.now(),
    })
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>()
    httpsRequest(
      tried.door.endpoint,
      { method: 'POST', headers, ca: readFileSync(ca) },
      ({ statusCode }) => resolve(statusCode),
    )
      .on('error', reject)
      .end(body)
    expect(await promise).toBe(200)
  } finally {
    rmSync(directory, { recursive: true })
  }
})

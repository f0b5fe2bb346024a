/** The life of the gRPC door: health, new certificates, sockets, and a stop that loses nothing. */

import { once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls, createSecureContext } from 'node:tls'
import { Client as Channel, ChannelCredentials, status } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import { connect } from '../../src/client/client.ts'
import { SERVICE_NAMES } from '../../src/contract/contract.ts'
import { ensureAuthority } from '../../src/development/authority.ts'
import { HEALTH_SERVICE_NAME, standardService } from '../../src/doors/grpc/standard-services.ts'
import { ACCOUNT, eventually, readPair, type TriedDoor, tlsOf, toldGone, tryDoor } from './door.ts'

const answer = async () => ({ keys: [], truncated: false })

function rawChannel(tried: TriedDoor): Channel {
  const credentials = ChannelCredentials.createFromSecureContext(createSecureContext(tlsOf(tried)))
  return new Channel(tried.door.address.replace('127.0.0.1', 'localhost'), credentials)
}

function healthMethod(name: string) {
  const method = standardService(HEALTH_SERVICE_NAME)[name]
  if (!method) throw new Error(`no ${name}`)
  return method
}

function callHealth(channel: Channel, name: string, request: object): Promise<unknown> {
  const { path, requestSerialize, responseDeserialize } = healthMethod(name)
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, response?: unknown) =>
      error ? reject(error) : resolve(response)
    channel.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, done)
  })
}

function watchHealth(channel: Channel, service: string) {
  const { path, requestSerialize, responseDeserialize } = healthMethod('Watch')
  const request = { service }
  const call = channel.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request)
  const seen: string[] = []
  call.on('data', (response: { status: string }) => seen.push(response.status))
  const ended = new Promise<{ code: number }>((resolve) => {
    call.on('error', () => {})
    call.on('status', resolve)
  })
  return { seen, ended }
}

test('health follows the HSM', async () => {
  await using tried = await tryDoor(answer)
  const channel = rawChannel(tried)
  const watched = watchHealth(channel, SERVICE_NAMES[0])
  const unknown = watchHealth(channel, 'nothing')
  await eventually(() => watched.seen).toEqual(['SERVING'])
  for (const service of ['', ...SERVICE_NAMES]) {
    expect(await callHealth(channel, 'Check', { service })).toEqual({ status: 'SERVING' })
  }
  tried.setReady(false)
  await eventually(() => watched.seen).toEqual(['SERVING', 'NOT_SERVING'])
  expect(await callHealth(channel, 'Check', { service: '' })).toEqual({ status: 'NOT_SERVING' })
  tried.setReady(true)
  await eventually(() => watched.seen).toEqual(['SERVING', 'NOT_SERVING', 'SERVING'])
  expect(await callHealth(channel, 'List', {})).toEqual({
    statuses: Object.fromEntries(
      ['', ...SERVICE_NAMES].map((name) => [name, { status: 'SERVING' }]),
    ),
  })
  await expect(callHealth(channel, 'Check', { service: 'nothing' })).rejects.toMatchObject({
    code: status.NOT_FOUND,
  })
  expect(new Set(unknown.seen)).toEqual(new Set(['SERVICE_UNKNOWN']))
  channel.close()
})

test('a stop finishes what is under way, tells who watches, and takes nothing new', async () => {
  const release = Promise.withResolvers<void>()
  const started = Promise.withResolvers<void>()
  await using tried = await tryDoor(async (name) => {
    if (name === 'ListKeys') {
      started.resolve()
      await release.promise
    }
    return { keys: [], truncated: false }
  })
  const channel = rawChannel(tried)
  const watched = watchHealth(channel, '')
  const client = tried.client()
  const underWay = client.call('ListKeys', {})
  await started.promise
  await eventually(() => watched.seen).toEqual(['SERVING'])
  let stopped = false
  const stopping = tried.door.stop(10_000).then(() => {
    stopped = true
  })
  expect((await watched.ended).code).toBe(status.UNAVAILABLE)
  expect(watched.seen).toEqual(['SERVING', 'NOT_SERVING'])
  await expect(tried.client().call('ListAliases', {}, { deadlineMs: 2_000 })).rejects.toMatchObject(
    { name: 'UNAVAILABLE' },
  )
  await expect(client.call('ListAliases', {}, { deadlineMs: 2_000 })).rejects.toMatchObject({
    name: 'UNAVAILABLE',
  })
  expect(stopped).toBe(false)
  release.resolve()
  expect(await underWay).toEqual({ keys: [], truncated: false })
  await stopping
  channel.close()
})

test('under load, every call that the pipeline began before a stop is answered', async () => {
  let begun = 0
  await using tried = await tryDoor(async () => {
    begun += 1
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 10))
    return answer()
  })
  const clients = ['ann', 'bob', 'cy'].map((user) => tried.client(tried.issue(`user/${user}`)))
  let answered = 0
  const failures: unknown[] = []
  const load = Array.from({ length: 12 }, async (_, index) => {
    const client = clients[index % clients.length] ?? tried.client()
    while (failures.length === 0) {
      await client.call('ListKeys', {}).then(
        () => (answered += 1),
        ({ name }) => failures.push(name),
      )
    }
  })
  await eventually(() => answered).toBeGreaterThan(50)
  await tried.door.stop(10_000)
  await Promise.all(load)
  expect(new Set(failures)).toEqual(new Set(['UNAVAILABLE']))
  expect(answered).toBe(begun)
})

test('a stop cuts off what is still under way after its grace, and tells its work', async () => {
  const started = Promise.withResolvers<void>()
  const aborted = Promise.withResolvers<void>()
  await using tried = await tryDoor(async (_name, call) => {
    toldGone(call).then(aborted.resolve, aborted.reject)
    started.resolve()
    await aborted.promise
    return {}
  })
  const underWay = tried.client().call('ListKeys', {})
  const cut = expect(underWay).rejects.toMatchObject({ grpcStatus: status.UNAVAILABLE })
  await started.promise
  const startMs = performance.now()
  await tried.door.stop(200)
  expect(performance.now() - startMs).toBeLessThan(2_000)
  await cut
  await aborted.promise
})

test('an idle connection does not hold up a stop', async () => {
  await using tried = await tryDoor(answer)
  await tried.client().call('ListKeys', {})
  const startMs = performance.now()
  await tried.door.stop(10_000)
  expect(performance.now() - startMs).toBeLessThan(1_000)
})

test('new TLS files are taken for new connections; bad ones are not', async () => {
  const other = mkdtempSync(join(tmpdir(), 'keyslot-authority-'))
  const authority = ensureAuthority(other, { account: ACCOUNT, clock: Date.now })
  await using tried = await tryDoor(answer, { tlsIntervalMs: 25 })
  const stranger = () =>
    connect({
      endpoint: tried.door.address,
      ca: readFileSync(authority.ca),
      ...readPair(authority),
    })
  const before = tried.client()
  await before.call('ListKeys', {})
  const { server } = tried.authority
  const good = readFileSync(server.certificate)
  writeFileSync(server.certificate, 'junk')
  await eventually(() => tried.log).toEqual([expect.stringContaining('cannot be used')])
  await tried.client().call('ListKeys', {})
  writeFileSync(server.certificate, good)
  await eventually(() => tried.log.length).toBe(2)
  // A link to itself cannot even be looked at.
  rmSync(server.certificate)
  symlinkSync(server.certificate, server.certificate)
  await eventually(() => tried.log.length).toBe(3)
  rmSync(server.certificate)
  writeFileSync(server.certificate, good)
  await eventually(() => tried.log.length).toBe(4)
  await expect(stranger().call('ListKeys', {}, { deadlineMs: 1_000 })).rejects.toMatchObject({
    name: 'UNAVAILABLE',
  })
  cpSync(join(other, 'tls'), join(tried.directory, 'tls'), { recursive: true })
  await eventually(() =>
    stranger()
      .call('ListKeys', {}, { deadlineMs: 500 })
      .catch(() => undefined),
  ).toBeDefined()
  await before.call('ListKeys', {})
  rmSync(other, { recursive: true })
})

test('no session is resumed: the certificate is held against the CA of the day', async () => {
  await using tried = await tryDoor(answer)
  const [host, port] = tried.door.address.split(':')
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const options = { host, port: Number(port), ...tlsOf(tried), ALPNProtocols: ['h2'], maxVersion }
    const first = connectTls(options)
    await once(first, 'secureConnect')
    await new Promise((resolve) => setTimeout(resolve, 50))
    const session = first.getSession()
    first.destroy()
    const second = connectTls({ ...options, session })
    await once(second, 'secureConnect')
    expect(second.getProtocol()).toBe(maxVersion)
    expect(second.isSessionReused()).toBe(false)
    second.destroy()
  }
})

test('the door also listens on a socket in the file system', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'keyslot-socket-'))
  const path = join(directory, 'grpc.sock')
  let sourceAddress: string | undefined = 'none yet'
  await using tried = await tryDoor(
    async (_name, call) => {
      sourceAddress = call.sourceAddress
      return answer()
    },
    { listen: { path } },
  )
  expect(tried.door.address).toBe(`unix:${path}`)
  await tried.client().call('ListKeys', {})
  expect(sourceAddress).toBeUndefined()
  await tried.door.stop(0)
  rmSync(directory, { recursive: true })
})

test('an address in use, or TLS files that do not fit, refuse the start', async () => {
  await using tried = await tryDoor(answer)
  const port = Number(tried.door.address.split(':')[1])
  await expect(tryDoor(answer, { listen: { host: '127.0.0.1', port } })).rejects.toThrow(
    /EADDRINUSE/,
  )
  const { server, root, ca } = tried.authority
  const tls = { certificate: server.certificate, key: root.privateKey, clientCa: ca }
  await expect(tryDoor(answer, { tls })).rejects.toThrow(/key values mismatch/)
  await expect(tryDoor(answer, { tls: { ...tls, key: '/nowhere' } })).rejects.toThrow(/ENOENT/)
  const channel = rawChannel(tried)
  await callHealth(channel, 'Check', { service: '' })
  channel.close()
})

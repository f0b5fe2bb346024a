/** The TypeScript client: what it holds the server to, and what it says when there is none. */

import { readFileSync } from 'node:fs'
import { connect as connectTcp, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect } from '../../src/client/client.ts'
import { KeyslotError } from '../../src/client/error.ts'
import { ensureAuthority } from '../../src/development/authority.ts'
import { readPair, type TriedDoor, tryDoor } from '../doors/door.ts'

let tried: TriedDoor
let settle: Promise<void> = Promise.resolve()

beforeAll(async () => {
  tried = await tryDoor(async (_name, call) => {
    await settle
    return { keys: [{ keyId: 'a', keyArn: (await call.authenticate()).arn }], truncated: false }
  })
})
afterAll(() => tried[Symbol.asyncDispose]())

const port = () => tried.door.address.split(':')[1]

test.each(['localhost', '127.0.0.1'])(
  'the certificate of the server must name %s',
  async (host) => {
    const client = connect({
      endpoint: `${host}:${port()}`,
      ca: tried.ca,
      ...readPair(tried.authority),
    })
    expect((await client.call('ListKeys', {})).keys).toHaveLength(1)
    client.close()
  },
)

test('a server of another name, address or CA is not talked to', async () => {
  const directory = `${tried.directory}/other`
  const other = ensureAuthority(directory, { account: '111122223333', clock: Date.now })
  const pair = readPair(tried.authority)
  for (const settings of [
    { endpoint: `127.0.0.2:${port()}`, ca: tried.ca },
    { endpoint: tried.door.address, ca: readFileSync(other.ca) },
  ]) {
    // The door of the test listens on one address only, so another is reached by a way round.
    const forward = createServer((socket) => {
      const upstream = socket.pipe(connectTcp(Number(port()), '127.0.0.1'))
      upstream.pipe(socket)
      for (const each of [socket, upstream]) each.on('error', () => socket.destroy())
    })
    await new Promise<void>((resolve) => forward.listen(0, '127.0.0.2', resolve))
    const { port: forwarded } = forward.address() as { port: number }
    const endpoint = settings.endpoint.replace(/^127.0.0.2:.*/, `127.0.0.2:${forwarded}`)
    const client = connect({ ...settings, endpoint, ...pair })
    await expect(client.call('ListKeys', {}, { deadlineMs: 1_500 })).rejects.toMatchObject({
      name: 'UNAVAILABLE',
      message: expect.stringMatching(/altnames|certificate|signature/),
    })
    client.close()
    forward.close()
  }
})

test('without a server the call ends, with a name', async () => {
  const client = connect({ endpoint: 'localhost:1', ca: tried.ca, ...readPair(tried.authority) })
  const error = await client.call('ListKeys', {}).catch((cause) => cause)
  expect(error).toBeInstanceOf(KeyslotError)
  expect(error).toMatchObject({ name: 'UNAVAILABLE', grpcStatus: 14, requestId: undefined })
  expect(error.message).toContain('ECONNREFUSED')
  client.close()
})

test('a call takes no longer than its own deadline, or the client’s', async () => {
  const release = Promise.withResolvers<void>()
  settle = release.promise
  const hasty = connect({
    endpoint: tried.door.address,
    ca: tried.ca,
    ...readPair(tried.authority),
    deadlineMs: 100,
  })
  const late = { name: 'DEADLINE_EXCEEDED' }
  await expect(hasty.call('ListKeys', {})).rejects.toMatchObject(late)
  const patient = tried.client()
  await expect(patient.call('ListKeys', {}, { deadlineMs: 100 })).rejects.toMatchObject(late)
  release.resolve()
  await hasty.call('ListKeys', {}, { deadlineMs: 5_000 })
  hasty.close()
})

test('a call is cancelled by its signal, before and after it was sent', async () => {
  const release = Promise.withResolvers<void>()
  settle = release.promise
  const client = tried.client()
  const before = client.call('ListKeys', {}, { signal: AbortSignal.abort('never mind') })
  await expect(before).rejects.toMatchObject({ name: 'CANCELLED', cause: 'never mind' })
  const after = client.call('ListKeys', {}, { signal: AbortSignal.timeout(50) })
  await expect(after).rejects.toMatchObject({ name: 'CANCELLED', grpcStatus: 1 })
  release.resolve()
})

test('what is no request is refused before it is sent, by the same name', async () => {
  const client = tried.client()
  const wrong = { keySpec: 'RSA_1' } as unknown as object
  await expect(client.call('CreateKey', wrong)).rejects.toMatchObject({
    name: 'ValidationException',
    grpcStatus: 3,
  })
})

test('a certificate or key that cannot be read is refused at once', () => {
  const { certificate, privateKey } = readPair(tried.authority)
  const settings = { endpoint: tried.door.address, ca: tried.ca, certificate, privateKey }
  expect(() => connect({ ...settings, certificate: 'junk' })).toThrow()
  expect(() => connect({ ...settings, privateKey: 'junk' })).toThrow()
})

test('a call after close is refused as any other failure is', async () => {
  const closed = tried.client()
  closed.close()
  const failure = { name: 'CANCELLED', message: 'The client has been closed.' }
  await expect(closed.call('ListKeys', {})).rejects.toMatchObject(failure)
})

test('a call that is under way is cancelled by close', async () => {
  const release = Promise.withResolvers<void>()
  settle = release.promise
  const client = tried.client()
  const calls = Array.from({ length: 3 }, () =>
    expect(client.call('ListKeys', {})).rejects.toMatchObject({ name: 'CANCELLED' }),
  )
  await sleep(50)
  client.close()
  await Promise.all(calls)
  release.resolve()
})

test('a deadline that is given as undefined is none', async () => {
  await tried.client().call('ListKeys', {}, { deadlineMs: undefined })
})

test('a token is read for every call, and shown without a certificate', async () => {
  const seen: unknown[] = []
  await using taking = await tryDoor(
    async (_name, call) => {
      seen.push(await call.authenticate())
      return { keys: [], truncated: false }
    },
    {},
    true,
  )
  const tokens = ['alice\n', 'bob']
  const client = connect({
    endpoint: taking.door.address,
    ca: taking.ca,
    token: async () => tokens.shift() ?? Promise.reject(new Error('gone')),
  })
  await client.call('ListKeys', {})
  await client.call('ListKeys', {})
  const arn = (name: string) => expect.stringMatching(`:user/${name}$`)
  expect(seen).toMatchObject([{ arn: arn('alice') }, { arn: arn('bob') }])
  await expect(client.call('ListKeys', {})).rejects.toMatchObject({
    name: 'MissingAuthenticationTokenException',
    cause: new Error('gone'),
  })
  client.close()
})

/** Calls without a client certificate: let in with a token, and only where tokens are taken. */

import { credentials, Metadata, Client as RawClient, type ServiceError } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CONTRACT } from '../../src/contract/contract.ts'
import { ensureAuthority } from '../../src/development/authority.ts'
import type { Caller } from '../../src/model/caller.ts'
import { ACCOUNT, eventually, readPair, type TriedDoor, tryDoor } from './door.ts'

let taking: TriedDoor
let closed: TriedDoor
const seen: Caller[] = []
const answer = async (_name: string, call: { authenticate(): Caller | Promise<Caller> }) => {
  seen.push(await call.authenticate())
  return { keys: [], truncated: false }
}

beforeAll(async () => {
  taking = await tryDoor(answer, { maxConnectionsPerIdentity: 2 }, true)
  closed = await tryDoor(answer)
})
afterAll(async () => {
  await taking[Symbol.asyncDispose]()
  await closed[Symbol.asyncDispose]()
})

interface Pair {
  readonly certificate: string
  readonly privateKey: string
}

/** Calls ListKeys over a connection of its own. */
function list(door: TriedDoor, headers: Record<string, string>, pair?: Pair): Promise<void> {
  const tls = pair
    ? credentials.createSsl(door.ca, Buffer.from(pair.privateKey), Buffer.from(pair.certificate))
    : credentials.createSsl(door.ca)
  const client = new RawClient(door.door.address, tls, {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.ssl_target_name_override': 'localhost',
  })
  const metadata = new Metadata()
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value)
  const asIs = (bytes: Buffer) => bytes
  const path = `/${CONTRACT.ListKeys.service}/ListKeys`
  const empty = Buffer.alloc(0)
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, asIs, asIs, empty, metadata, (error: ServiceError | null) => {
      client.close()
      if (error) reject(error)
      else resolve()
    })
  })
}

test('a token makes the caller', async () => {
  await list(taking, { authorization: 'Bearer alice' })
  const arn = `arn:aws:iam::${ACCOUNT}:user/alice`
  expect(seen.splice(0)).toEqual([{ arn, account: ACCOUNT, kind: 'user' }])
})

test('a token goes before the certificate of its connection', async () => {
  await list(taking, { authorization: 'bearer bob' }, readPair(taking.authority))
  expect(seen.splice(0)).toMatchObject([{ arn: `arn:aws:iam::${ACCOUNT}:user/bob` }])
})

test.each([{}, { authorization: 'Basic YTpi' }, { authorization: 'Bearer' }])(
  'nobody calls with %o',
  async (headers) => {
    const call = list(taking, headers as Record<string, string>)
    await expect(call).rejects.toMatchObject({ code: 16, details: 'Missing Authentication Token' })
    expect(seen).toEqual([])
  },
)

test('where no tokens are taken, no connection without a certificate is', async () => {
  await expect(list(closed, { authorization: 'Bearer alice' })).rejects.toMatchObject({ code: 14 })
  await eventually(() => closed.log.join()).toContain('no certificate')
  expect(seen).toEqual([])
})

test('a certificate of another authority is none, with a token or without', async () => {
  const other = ensureAuthority(`${taking.directory}/other`, { account: ACCOUNT, clock: Date.now })
  for (const door of [taking, closed]) {
    const call = list(door, { authorization: 'Bearer alice' }, readPair(other))
    await expect(call).rejects.toMatchObject({ code: 14 })
    await eventually(() => door.log.join()).toContain('does not hold')
  }
  expect(seen).toEqual([])
})

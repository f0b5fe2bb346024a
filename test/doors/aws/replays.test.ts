/** Changes that are sent again, and the memory of signatures: whose it is when it is full. */

import { describe, expect, test } from 'vitest'
import { createReplays, type Replays } from '../../../src/doors/aws/replays.ts'
import { ACCOUNT, eventually } from '../door.ts'
import { ADA, type SeenCall, tryAwsDoor } from './door.ts'
import { send, sign } from './sign.ts'

const KEY_ID = '1234abcd-12ab-34cd-56ef-1234567890ab'
const OTHER = '444455556666'
const MINUTE_MS = 60_000
const KEPT_MS = 10 * MINUTE_MS

/** A pipeline that asks who calls, as every pipeline does, and answers. */
async function answering(_name: string, call: SeenCall) {
  await call.authenticate()
  return {}
}

describe('a change that is sent again', () => {
  const request = (timeMs: number, host: string, headers = {}) =>
    sign(ADA, { operation: 'EnableKey', body: `{"KeyId":"${KEY_ID}"}`, host, timeMs, headers })
  const attempt = { 'amz-sdk-invocation-id': 'one', 'amz-sdk-request': 'attempt=1' }

  test('is another one within the same moment, and refused later', async () => {
    await using tried = await tryAwsDoor(answering)
    const signed = request(tried.now(), tried.host)
    const outcome = async () => (await send(tried.door.endpoint, signed)).json.__type
    expect([await outcome(), await outcome()]).toEqual([undefined, undefined])
  })

  test.each([2_500, 60_000, 290_000])('is refused after %i ms', async (laterMs) => {
    await using tried = await tryAwsDoor(answering)
    const signed = request(tried.now(), tried.host)
    expect((await send(tried.door.endpoint, signed)).status).toBe(200)
    tried.aheadMs = laterMs
    const { status, json } = await send(tried.door.endpoint, signed)
    expect(status).toBe(400)
    expect(json).toMatchObject({ __type: 'InvalidSignatureException', message: /already used/ })
  })

  test('is refused at once if its attempts are signed', async () => {
    await using tried = await tryAwsDoor(answering)
    const signed = request(tried.now(), tried.host, attempt)
    expect((await send(tried.door.endpoint, signed)).status).toBe(200)
    expect((await send(tried.door.endpoint, signed)).status).toBe(400)
    const second = request(tried.now(), tried.host, { ...attempt, 'amz-sdk-request': 'attempt=2' })
    expect((await send(tried.door.endpoint, second)).status).toBe(200)
  })

  test('is taken if the first was not let in', async () => {
    const waiting: (() => void)[] = []
    await using tried = await tryAwsDoor(
      async (name, call) => {
        await call.authenticate()
        if (name === 'Decrypt') await new Promise<void>((resolve) => waiting.push(resolve))
        return {}
      },
      { maxInFlightPerIdentity: 1 },
    )
    const first = tried.call('Decrypt', {})
    await eventually(() => waiting.length).toBe(1)
    const signed = request(tried.now(), tried.host)
    const refused = await send(tried.door.endpoint, signed)
    expect(refused.json).toMatchObject({ __type: 'ThrottlingException' })
    for (const resolve of waiting) resolve()
    await first
    tried.aheadMs = 60_000
    expect((await send(tried.door.endpoint, signed)).status).toBe(200)
  })

  test('does nothing when it is refused', async () => {
    let done = 0
    await using tried = await tryAwsDoor(async (_name, call) => {
      await call.authenticate()
      done += 1
      return {}
    })
    const signed = request(tried.now(), tried.host, attempt)
    const both = [send(tried.door.endpoint, signed), send(tried.door.endpoint, signed)]
    const statuses = (await Promise.all(both)).map(({ status }) => status)
    expect(statuses.toSorted()).toEqual([200, 400])
    expect(done).toBe(1)
  })

  test('may be sent again if it changes nothing', async () => {
    await using tried = await tryAwsDoor(answering)
    const { host } = tried
    const signed = sign(ADA, { operation: 'ListKeys', body: '{}', host, timeMs: tried.now() })
    tried.aheadMs = 1
    for (const aheadMs of [0, 3_000, 100_000]) {
      tried.aheadMs = aheadMs
      expect((await send(tried.door.endpoint, signed)).status).toBe(200)
    }
  })
})

let signed = 0

/** A claim with a signature that no other has. */
function newClaim() {
  const signature = Buffer.alloc(32)
  signature.writeUInt32BE(signed++)
  return {
    accessKeyId: 'AKIDEXAMPLE000000001',
    sessionToken: undefined,
    scope: '20260102/eu-central-1/kms/aws4_request',
    timestamp: '20260102T030405Z',
    signedHeaders: ['host', 'x-amz-date'],
    signature,
  }
}

function memory(rememberedMax?: number) {
  const at = { nowMs: Date.UTC(2026, 0, 2, 3, 4, 5) }
  const replays = createReplays({
    clock: () => at.nowMs,
    clockSkewMs: 5 * MINUTE_MS,
    rememberedMax,
  })
  return Object.assign(at, { replays })
}

/** Takes note of new signatures until no more are taken, and says how many were. */
function fill(replays: Replays, account: string, most = 1_000_000): number {
  for (let taken = 0; taken < most; taken++) {
    try {
      replays.refuse(newClaim(), account)
    } catch (error) {
      expect(error).toMatchObject({ name: 'ThrottlingException' })
      return taken
    }
  }
  return most
}

test('an account that fills it as far as it may keeps no other from its changes', () => {
  const { replays } = memory(4096)
  expect(fill(replays, ACCOUNT)).toBe(3072)
  expect(fill(replays, OTHER)).toBe(768)
})

test('many accounts that fill it leave each other their share', () => {
  const { replays } = memory(4096)
  const accounts = Array.from({ length: 30 }, (_, at) => String(at).padStart(12, '0'))
  const taken = accounts.map((account) => fill(replays, account))
  expect(Math.min(...taken)).toBe(256)
})

test('one account alone has most of it, and all of that again when it is forgotten', () => {
  const tried = memory()
  expect(fill(tried.replays, ACCOUNT)).toBe(98_304)
  tried.nowMs += KEPT_MS
  expect(fill(tried.replays, ACCOUNT)).toBe(0)
  tried.nowMs += 1
  expect(fill(tried.replays, ACCOUNT)).toBe(98_304)
})

test('what is refused for want of room is remembered by nobody', () => {
  const tried = memory(4)
  fill(tried.replays, ACCOUNT)
  const claim = newClaim()
  const refuse = () => tried.replays.refuse(claim, ACCOUNT)
  expect(refuse).toThrow('Rate exceeded')
  tried.nowMs += KEPT_MS + 1
  refuse()
  tried.nowMs += MINUTE_MS
  expect(refuse).toThrow('already used')
})

/** Who is let in when many calls are at work: of callers, and of accounts. */

import { describe, expect, test } from 'vitest'
import { connect } from '../../src/client/client.ts'
import { createAdmission, type Guest, type Visit } from '../../src/doors/admission.ts'
import type { Caller } from '../../src/model/caller.ts'
import { type SeenCall as AwsCall, type OtherCaller, tryAwsDoor } from './aws/door.ts'
import { ACCOUNT, eventually, type SeenCall, tryDoor } from './door.ts'

const OTHER = '444455556666'
const KEY_ID = '1234abcd-12ab-34cd-56ef-1234567890ab'
const THROTTLED = { name: 'ThrottlingException' }

function admission(maxInFlight = 256) {
  return createAdmission({ maxInFlight, maxInFlightPerIdentity: 64 })
}

/** Lets calls in until one is refused. */
function fill(enter: (at: number) => Visit, most = 1000): Visit[] {
  const visits: Visit[] = []
  for (let at = 0; at < most; at++) {
    try {
      visits.push(enter(at))
    } catch (error) {
      expect(error).toMatchObject(THROTTLED)
      break
    }
  }
  return visits
}

/** One of eight users of an account. */
function userOf(account: string, at: number): Guest {
  return { account, identity: `arn:aws:iam::${account}:user/${at % 8}` }
}

describe('an admission', () => {
  test('gives one account three quarters, and the next one a share of the rest', () => {
    const doors = admission()
    expect(fill((at) => doors.enter(userOf(ACCOUNT, at)))).toHaveLength(192)
    expect(fill((at) => doors.enter(userOf(OTHER, at)))).toHaveLength(48)
  })

  test('gives no more than it has, to however many accounts', () => {
    const doors = admission()
    const accounts = Array.from({ length: 40 }, (_, at) => String(at).padStart(12, '0'))
    const visits = accounts.flatMap((account) => fill((at) => doors.enter(userOf(account, at))))
    expect(visits).toHaveLength(256)
  })

  test.each([1, 2, 3])('of %i in all gives one account all', (maxInFlight) => {
    const doors = admission(maxInFlight)
    expect(fill((at) => doors.enter(userOf(ACCOUNT, at)))).toHaveLength(maxInFlight)
  })

  test('takes few slow calls of one account, and others beside them', () => {
    const doors = admission()
    expect(fill((at) => doors.enter(userOf(ACCOUNT, at), true))).toHaveLength(32)
    expect(fill((at) => doors.enter(userOf(OTHER, at), true))).toHaveLength(32)
    expect(fill((at) => doors.enter(userOf(ACCOUNT, at)), 64)).toHaveLength(64)
  })

  test('has all of it again when all have left, as whomever they came', async () => {
    const doors = admission()
    const nobody = { identity: 'nobody', account: 'nobody' }
    for (let round = 0; round < 3; round++) {
      const slow = fill((at) => doors.enter(userOf(ACCOUNT, at), true))
      const others = Array.from({ length: 40 }, () => doors.enter(nobody))
      for (const [at, visit] of others.entries()) visit.become(userOf(OTHER, at))
      const refused = doors.enter(nobody)
      expect(() => refused.become(userOf(ACCOUNT, 0), true)).toThrow('take long')
      expect(slow).toHaveLength(32)
      for (const visit of [...slow, ...others, refused]) visit.leave()
      await doors.idle()
    }
  })

  test('is not idle while a call becomes somebody else', async () => {
    const doors = admission()
    const visit = doors.enter(userOf(ACCOUNT, 0))
    let isIdle = false
    const waited = doors.idle().then(() => {
      isIdle = true
    })
    visit.become(userOf(ACCOUNT, 1))
    await Promise.resolve()
    expect(isIdle).toBe(false)
    visit.leave()
    await waited
  })
})

/** A session of a role, and its key. */
function sessionOf(account: string, name: string, role = 'app'): OtherCaller {
  const caller: Caller = {
    arn: `arn:aws:sts::${account}:assumed-role/${role}/${name}`,
    account,
    kind: 'role',
    principalId: `AROAEXAMPLE:${name}`,
    roleArn: `arn:aws:iam::${account}:role/${role}`,
  }
  return { key: { accessKeyId: `AK${account}${name}`, secretAccessKey: name.repeat(10) }, caller }
}

test('slow calls of one account keep no other account out of the AWS door', async () => {
  const end = Promise.withResolvers<void>()
  let atWork = 0
  const run = async (name: string, call: AwsCall) => {
    await call.authenticate()
    if (name !== 'GenerateDataKeyPair') return {}
    atWork += 1
    await end.promise
    return {}
  }
  const sessions = ['one', 'two', 'three', 'four'].map((name) => sessionOf(ACCOUNT, name, name))
  const stranger = sessionOf(OTHER, 'stranger')
  await using tried = await tryAwsDoor(run, { others: [...sessions, stranger] })
  const request = { KeyId: KEY_ID, KeyPairSpec: 'RSA_4096' }
  const calls = sessions.flatMap(({ key }) =>
    Array.from({ length: 64 }, () => tried.call('GenerateDataKeyPair', request, { key })),
  )
  await eventually(() => atWork + tried.refused.length).toBe(256)
  expect(atWork).toBe(32)
  for (const key of [stranger.key, sessions[0]?.key]) {
    expect((await tried.call('Decrypt', {}, { key })).status).toBe(200)
  }
  end.resolve()
  const statuses = (await Promise.all(calls)).map(({ status }) => status)
  expect(statuses.filter((status) => status === 200)).toHaveLength(32)
})

/** A gRPC door whose calls wait to be ended. */
async function waitingDoor(maxInFlightPerIdentity: number) {
  const end = Promise.withResolvers<void>()
  const seen = { atWork: 0, throttled: 0, end: end.resolve }
  const run = async (_name: string, call: SeenCall) => {
    try {
      await call.authenticate()
    } catch (error) {
      seen.throttled += 1
      throw error
    }
    seen.atWork += 1
    await end.promise
    return {}
  }
  const limits = { maxInFlightPerIdentity, maxConnectionsPerIdentity: 64 }
  return Object.assign(seen, { tried: await tryDoor(run, limits, true) })
}

const outcomeOf = (call: Promise<unknown>) =>
  call.then(
    () => 'ok',
    ({ name }: Error) => name,
  )

test('a call with a token counts for whom it makes the caller, and no more for its address', async () => {
  const door = await waitingDoor(4)
  await using tried = door.tried
  const calls = ['alice', 'bob'].flatMap((user) => {
    const client = connect({ endpoint: tried.door.address, ca: tried.ca, token: () => user })
    const own = Array.from({ length: 3 }, () => outcomeOf(client.call('ListKeys', {})))
    return [Promise.all(own).finally(() => client.close())]
  })
  await eventually(() => door.atWork).toBe(6)
  const alice = connect({ endpoint: tried.door.address, ca: tried.ca, token: () => 'alice' })
  const more = [0, 1].map(() => outcomeOf(alice.call('ListKeys', {})))
  await eventually(() => door.throttled).toBe(1)
  door.end()
  expect((await Promise.all(calls)).flat()).toEqual(Array.from({ length: 6 }, () => 'ok'))
  expect((await Promise.all(more)).toSorted()).toEqual(['ThrottlingException', 'ok'])
  alice.close()
})

/**
 * Reconciliation when token and store do not match: whatever is found or not found, no object is
 * destroyed and no row deleted.
 */

import { randomBytes, randomUUID } from 'node:crypto'
import { copyFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, test } from 'vitest'
import { newBackingKey, type Services } from '../../src/lifecycle/change.ts'
import { createKey } from '../../src/lifecycle/create.ts'
import { destroyKey } from '../../src/lifecycle/destroy.ts'
import { reconcile, settleInterrupted } from '../../src/lifecycle/reconcile.ts'
import { rotateKey } from '../../src/lifecycle/rotate.ts'
import type { HsmObjects } from '../../src/pkcs11/hsm.ts'
import { openStore } from '../../src/store/database.ts'
import { suiteOf } from '../pkcs11/token.ts'
import { expectWhole, makePair } from './fixture.ts'
import {
  authorised,
  DAY_MS,
  decrypt,
  encrypt,
  keyInput,
  makeDueKey,
  makeKey,
  objectsOf,
  openPair,
  place,
} from './pair.ts'

let nowMs = Date.UTC(2026, 0, 1)
const clock = () => nowMs
const { token, settings, path, pair: first } = await makePair({}, clock)
let pair = first
afterAll(async () => {
  await pair.close()
  token.remove()
})

const copy = join(token.directory, 'copy.db')
const nothingWrong = {
  waiting: [],
  unexplained: [],
  leftovers: [],
  returned: [],
  missing: [],
  storeLooksOlderThanToken: false,
}

/** Copies the database as it is, like a backup does. */
async function backUp(): Promise<void> {
  await pair.close()
  copyFileSync(path, copy)
  pair = await openPair(settings, path, clock)
}

/** Puts the backup in the place of the database. */
async function restore(): Promise<void> {
  await pair.close()
  for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true })
  renameSync(copy, path)
  pair = await openPair(settings, path, clock)
}

/** The services with a token that answers otherwise. */
function servicesWith(part: Partial<HsmObjects>): Services {
  return { ...pair.services, objects: { ...pair.hsm.objects, ...part } }
}

describe('a store restored from a backup', () => {
  test('destroys nothing, until an operator has explained the objects it does not know', async () => {
    const kept = await makeKey(pair.services)
    const cancelled = await makeDueKey(pair.services)
    await backUp()
    await pair.store.keys.change(cancelled.keyId, 'PendingDeletion', {
      state: 'Enabled',
      deletionMs: null,
    })
    const rotated = await rotateKey(pair.services, kept, 'ON_DEMAND')
    const newest = await encrypt(pair, rotated)
    const made = []
    for (let count = 0; count < 20; count++) made.push(await makeKey(pair.services))
    const before = await objectsOf(pair)
    await restore()

    const report = await reconcile(pair.services, { patienceMs: 0 })
    const unknown = [...made, rotated].map(({ backingKeys }) => backingKeys.at(-1)?.id)
    expect(report.unexplained.toSorted()).toEqual(unknown.toSorted())
    expect(report).toMatchObject({ storeLooksOlderThanToken: true, missing: [], destroyed: [] })
    // The cancellation was lost with the newer database: this key is due once more.
    const [due] = await pair.store.keys.dueForDeletion(clock(), 10)
    expect(due?.keyId).toBe(cancelled.keyId)
    expect(await destroyKey(pair.services, authorised(due))).toBe(false)
    await reconcile(pair.services, { patienceMs: 0 })
    expect(await objectsOf(pair)).toEqual(before)
    await expect(decrypt(pair, newest)).rejects.toMatchObject({
      name: 'InvalidCiphertextException',
    })

    const quarantined = await pair.store.intents.quarantined({ limit: 100 })
    expect(quarantined).toHaveLength(21)
    for (const { backingKeyId } of quarantined)
      await pair.store.intents.release(backingKeyId, nowMs)
    expect(await destroyKey(pair.services, authorised(due))).toBe(true)
    expect(await reconcile(pair.services)).toMatchObject(nothingWrong)
  })

  test('keeps a key whose creation was under way in the backup', async () => {
    const keyId = randomUUID()
    const backingKey = await newBackingKey(pair.services, 'SYMMETRIC_DEFAULT', 1)
    const intent = { intentId: randomUUID(), keyId, createdMs: nowMs, backingKey }
    const { place: where, tags, ...properties } = keyInput
    const policy = { text: '{}', principalIds: new Map() }
    const key = { ...where, ...properties, policy, keyId, createdMs: nowMs }
    await pair.store.intents.beginCreate(key, tags, { ...intent, kind: 'create' }, 1000)
    await backUp()
    const label = `keyslot ${keyId} 1`
    await pair.hsm.objects.generateBackingKey({
      id: backingKey.id,
      label,
      suite: suiteOf(backingKey),
    })
    const made = await pair.store.intents.finishMaterial(intent.intentId, { nowMs })
    const blob = await encrypt(pair, authorised(made))
    await restore()
    const report = await reconcile(pair.services, { patienceMs: 0 })
    expect(report).toMatchObject({ ...nothingWrong, finished: [keyId] })
    expect(await decrypt(pair, blob)).toBe(`for ${keyId}`)
  })
})

describe('a token that finds nothing', () => {
  test('loses no key, whatever it says', async () => {
    const key = await makeKey(pair.services)
    const due = await makeDueKey(pair.services)
    const blob = await encrypt(pair, key)
    const before = await objectsOf(pair)
    const keys = await pair.store.keys.count(place)
    const destroyed: string[] = []
    const blind = servicesWith({
      listBackingKeys: async () => [],
      provesBackingKey: async () => false,
      destroyBackingKey: async (id) => void destroyed.push(id),
    })
    const report = await reconcile(blind, { patienceMs: 0 })
    expect(report).toMatchObject({ ...nothingWrong, missing: expect.anything() })
    expect(report.missing).toContainEqual({
      keyId: key.keyId,
      backingKeyId: key.backingKeys[0]?.id,
    })
    const known = await pair.store.backingKeys({ limit: 1000 })
    const live = known.filter(({ standing }) => standing === 'live')
    expect(report.missing).toHaveLength(live.length)
    expect(destroyed).toEqual([])
    expect(await pair.store.keys.count(place)).toBe(keys)
    expect(await objectsOf(pair)).toEqual(before)
    expect(await reconcile(pair.services)).toMatchObject(nothingWrong)
    expect(await decrypt(pair, blob)).toBe(`for ${key.keyId}`)
    expect(await destroyKey(pair.services, due)).toBe(true)
  })

  test('is believed of an interrupted creation, whose object is then left alone', async () => {
    const made: string[] = []
    const lying = servicesWith({
      generateBackingKey: async (input) => {
        await pair.hsm.objects.generateBackingKey(input)
        made.push(input.id)
        throw new Error('the answer was lost')
      },
      provesBackingKey: async () => false,
    })
    await expect(createKey(lying, keyInput)).rejects.toThrow('lost')
    const report = await reconcile(pair.services, { patienceMs: 0 })
    expect(report).toMatchObject({ ...nothingWrong, leftovers: made })
    expect(await objectsOf(pair)).toContain(made[0])
    // It is explained, and does not hold up the destruction of others.
    expect(await destroyKey(pair.services, await makeDueKey(pair.services))).toBe(true)
    await pair.hsm.objects.destroyBackingKey(made[0] ?? '')
  })

  test('because it is not there makes reconcile fail, and nothing else', async () => {
    const key = await makeKey(pair.services)
    await makeDueKey(pair.services)
    const blob = await encrypt(pair, key)
    const keys = await pair.store.keys.count(place)
    const before = await objectsOf(pair)
    await pair.close()
    const tokens = join(token.directory, 'tokens')
    renameSync(tokens, `${tokens}-away`)
    pair = await openPair(settings, path, clock)
    await expect(reconcile(pair.services, { patienceMs: 0 })).rejects.toMatchObject({
      grpc: 'UNAVAILABLE',
    })
    expect(await pair.store.keys.count(place)).toBe(keys)
    expect(await pair.store.intents.quarantined({ limit: 10 })).toEqual([])
    await pair.close()
    rmSync(tokens, { recursive: true, force: true })
    renameSync(`${tokens}-away`, tokens)
    pair = await openPair(settings, path, clock)
    expect(await objectsOf(pair)).toEqual(before)
    expect(await decrypt(pair, blob)).toBe(`for ${key.keyId}`)
  })
})

describe('reconcile', () => {
  test('settles what was interrupted without reading the whole token', async () => {
    const key = await makeKey(pair.services)
    const due = await makeDueKey(pair.services)
    const backingKey = await newBackingKey(pair.services, 'SYMMETRIC_DEFAULT', 2, 'ON_DEMAND')
    const { keyId } = key
    const intent = { intentId: randomUUID(), keyId, createdMs: nowMs, backingKey }
    await pair.store.intents.beginRotate({ ...intent, kind: 'rotate' })
    const destroy = { intentId: randomUUID(), keyId: due.keyId, createdMs: nowMs }
    await pair.store.intents.beginDestroy({ ...destroy, kind: 'destroy' }, nowMs)
    const unlisted = servicesWith({
      listBackingKeys: () => Promise.reject(new Error('the token was listed')),
    })
    await settleInterrupted(unlisted)
    expect(await pair.store.intents.pending()).toHaveLength(2)
    nowMs += 60_000
    await settleInterrupted(unlisted)
    expect(await pair.store.intents.pending()).toEqual([])
    expect((await rotateKey(pair.services, key, 'ON_DEMAND')).backingKeys).toHaveLength(2)
    expect(await pair.store.keys.find(due.keyId)).toBeUndefined()
  })

  test('leaves the changes of others alone while they are young', async () => {
    const key = await makeKey(pair.services)
    const backingKey = await newBackingKey(pair.services, 'SYMMETRIC_DEFAULT', 2, 'ON_DEMAND')
    const { keyId } = key
    const intent = { intentId: randomUUID(), keyId, createdMs: nowMs, backingKey }
    await pair.store.intents.beginRotate({ ...intent, kind: 'rotate' })
    expect((await reconcile(pair.services)).waiting).toEqual([keyId])
    nowMs += 59_999
    expect((await reconcile(pair.services)).waiting).toEqual([keyId])
    nowMs += 1
    expect((await reconcile(pair.services)).abandoned).toEqual([keyId])
    expect((await rotateKey(pair.services, key, 'ON_DEMAND')).backingKeys).toHaveLength(2)
  })

  test('does not wait for years when the clock has been put back', async () => {
    const key = await makeKey(pair.services)
    const backingKey = await newBackingKey(pair.services, 'SYMMETRIC_DEFAULT', 2, 'ON_DEMAND')
    const createdMs = nowMs + 400 * DAY_MS
    const intent = { intentId: randomUUID(), keyId: key.keyId, createdMs, backingKey }
    await pair.store.intents.beginRotate({ ...intent, kind: 'rotate' })
    expect((await reconcile(pair.services)).abandoned).toEqual([key.keyId])
  })

  test('beside changes of the same process interferes with none', async () => {
    const key = await makeKey(pair.services)
    let busy = true
    const reports: Promise<unknown>[] = []
    const reconciling = async () => {
      while (busy) {
        const report = reconcile(pair.services, { patienceMs: 0 })
        reports.push(report)
        await report
      }
    }
    const changing = async () => {
      const changes = Array.from({ length: 8 }, async () => {
        await makeKey(pair.services)
        await destroyKey(pair.services, await makeDueKey(pair.services))
      })
      await Promise.all([...changes, rotateKey(pair.services, key, 'ON_DEMAND')])
      busy = false
    }
    await Promise.all([reconciling(), changing()])
    for (const report of await Promise.all(reports)) {
      const { waiting: _, ...calm } = nothingWrong
      expect(report).toMatchObject({ ...calm, finished: [], abandoned: [], destroyed: [] })
    }
    expect((await pair.store.keys.find(key.keyId))?.backingKeys).toHaveLength(2)
    await expectWhole(pair)
  })

  test('keeps the material of a destroyed key that comes back, and says so', async () => {
    const due = await makeDueKey(pair.services)
    const [backingKey] = due.backingKeys
    const id = backingKey?.id ?? ''
    await destroyKey(pair.services, due)
    await pair.hsm.objects.generateBackingKey({ id, label: 'keyslot again', suite: 1 })
    expect(await reconcile(pair.services)).toMatchObject({ ...nothingWrong, returned: [id] })
    expect(await objectsOf(pair)).toContain(id)
    await pair.hsm.objects.destroyBackingKey(id)
  })

  test('carries on no destruction while it is on hold', async () => {
    const due = await makeDueKey(pair.services)
    const intent = { intentId: randomUUID(), keyId: due.keyId, createdMs: 0 }
    await pair.store.intents.beginDestroy({ ...intent, kind: 'destroy' }, clock())
    const stranger = randomBytes(16).toString('hex')
    await pair.hsm.objects.generateBackingKey({ id: stranger, label: 'keyslot x', suite: 1 })
    const report = await reconcile(pair.services)
    expect(report).toMatchObject({ unexplained: [stranger], waiting: [due.keyId], destroyed: [] })
    expect(await objectsOf(pair)).toContain(due.backingKeys[0]?.id)
    await pair.hsm.objects.destroyBackingKey(stranger)
    await pair.store.intents.release(stranger, nowMs)
    expect(await reconcile(pair.services)).toMatchObject({ destroyed: [due.keyId] })
    expect(await objectsOf(pair)).not.toContain(due.backingKeys[0]?.id)
  })

  test('reads more rows than fit into a page', async () => {
    const aside = join(token.directory, 'aside.db')
    await (await openStore({ path: aside })).close()
    const database = new DatabaseSync(aside)
    const insert = database.prepare('insert into abandoned_backing_keys values (?, ?, 0)')
    database.exec('begin')
    const ids = Array.from({ length: 2500 }, () => randomBytes(16).toString('hex'))
    for (const id of ids) insert.run(id, randomUUID())
    database.exec('commit')
    database.close()
    const store = await openStore({ path: aside })
    const found = ids.map((id) => ({ id, suite: 1 as const }))
    const objects = { ...pair.hsm.objects, listBackingKeys: async () => found }
    const report = await reconcile({ store, objects, clock })
    expect(report).toMatchObject({ ...nothingWrong, leftovers: ids })
    await store.close()
  })
})

/** Create, rotate and destroy on a real token: what they leave, and what they refuse. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createKey } from '../../src/lifecycle/create.ts'
import { destroyKey } from '../../src/lifecycle/destroy.ts'
import { rotateKey } from '../../src/lifecycle/rotate.ts'
import type { HsmObjects } from '../../src/pkcs11/hsm.ts'
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
} from './pair.ts'

let nowMs = Date.UTC(2026, 0, 1)
const clock = () => nowMs
const made = await makePair({}, clock)
const { pair } = made
const { services, store, hsm } = pair
beforeAll(() => expectWhole(pair))
afterAll(async () => {
  await expectWhole(pair)
  await pair.close()
  made.token.remove()
})

describe('createKey', () => {
  test('makes an Enabled key with material and tags, not rotating', async () => {
    const tags = [{ key: 'a', value: 'b' }]
    const key = await createKey(services, { ...keyInput, description: 'd', tags })
    expect(key).toMatchObject({
      ...keyInput.place,
      description: 'd',
      state: 'Enabled',
      createdMs: nowMs,
      rotation: undefined,
    })
    expect(key.keyId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-/)
    expect(key.backingKeys).toMatchObject([{ number: 1, suite: 1, createdMs: nowMs }])
    expect(await store.tags.list(key.keyId, { limit: 10 })).toEqual(tags)
    expect(await objectsOf(pair)).toContain(key.backingKeys[0]?.id)
  })

  test('takes a given id, once', async () => {
    const keyId = '11112222-3333-4444-8555-666677778888'
    expect((await createKey(services, { ...keyInput, keyId })).keyId).toBe(keyId)
    const before = await objectsOf(pair)
    await expect(createKey(services, { ...keyInput, keyId })).rejects.toMatchObject({
      name: 'AlreadyExistsException',
    })
    expect(await objectsOf(pair)).toEqual(before)
  })

  test('refuses what this version does not make', async () => {
    for (const part of [{ spec: 'SM2' }, { origin: 'AWS_CLOUDHSM' }] as const) {
      await expect(createKey(services, { ...keyInput, ...part })).rejects.toMatchObject({
        name: 'UnsupportedOperationException',
      })
    }
  })

  test('of many at once makes as many', async () => {
    const keys = await Promise.all(Array.from({ length: 10 }, () => makeKey(services)))
    const ids = keys.flatMap(({ backingKeys }) => backingKeys.map(({ id }) => id))
    expect(new Set(ids).size).toBe(10)
  })
})

describe('rotateKey', () => {
  test('encrypts with the new backing key and decrypts with the old ones', async () => {
    let key = await makeKey(services)
    const blobs = [await encrypt(pair, key)]
    for (let count = 0; count < 3; count++) {
      key = await rotateKey(services, key, 'ON_DEMAND')
      blobs.push(await encrypt(pair, key))
    }
    expect(key).toEqual(await store.keys.find(key.keyId))
    expect(key.backingKeys.map(({ number }) => number)).toEqual([1, 2, 3, 4])
    expect(key.backingKeys.map(({ rotationType }) => rotationType)).toEqual([
      undefined,
      'ON_DEMAND',
      'ON_DEMAND',
      'ON_DEMAND',
    ])
    for (const blob of blobs) expect(await decrypt(pair, blob)).toBe(`for ${key.keyId}`)
  })

  test('of eight at once lets one through and refuses the others', async () => {
    const key = await makeKey(services)
    const before = (await objectsOf(pair)).length
    const rotations = await Promise.allSettled(
      Array.from({ length: 8 }, () => rotateKey(services, key, 'ON_DEMAND')),
    )
    const refused = rotations.filter((rotation) => rotation.status === 'rejected')
    expect(refused).toHaveLength(7)
    for (const { reason } of refused) expect(reason.name).toBe('ConflictException')
    expect((await store.keys.find(key.keyId))?.backingKeys).toHaveLength(2)
    expect(await objectsOf(pair)).toHaveLength(before + 1)
    // Nor does a rotation of what has been rotated since it was read.
    await expect(rotateKey(services, key, 'AUTOMATIC')).rejects.toMatchObject({
      name: 'ConflictException',
    })
  })

  test('on demand goes 25 times, and automatic ones do not count', async () => {
    let key = await makeKey(services)
    key = await rotateKey(services, key, 'AUTOMATIC')
    for (let count = 0; count < 25; count++) key = await rotateKey(services, key, 'ON_DEMAND')
    await expect(rotateKey(services, key, 'ON_DEMAND')).rejects.toMatchObject({
      name: 'LimitExceededException',
    })
    key = await rotateKey(services, key, 'AUTOMATIC')
    expect(key.backingKeys).toHaveLength(28)
  })

  test('moves the schedule along its grid when it was due, and only then', async () => {
    const { keyId } = await makeKey(services)
    const startMs = nowMs
    const rotation = { periodInDays: 90, nextMs: startMs + 90 * DAY_MS }
    let key = authorised(await store.keys.change(keyId, 'Enabled', { rotation }))
    const rotated = async (type: 'AUTOMATIC' | 'ON_DEMAND', day: number) => {
      nowMs = startMs + day * DAY_MS
      key = await rotateKey(services, key, type)
      return ((key.rotation?.nextMs ?? 0) - startMs) / DAY_MS
    }
    expect(await rotated('ON_DEMAND', 10)).toBe(90)
    expect(await rotated('AUTOMATIC', 89)).toBe(90)
    expect(await rotated('AUTOMATIC', 90)).toBe(180)
    expect(await rotated('ON_DEMAND', 181)).toBe(180)
    expect(await rotated('AUTOMATIC', 183)).toBe(270)
    // Late by more than two periods: one rotation, not three.
    expect(await rotated('AUTOMATIC', 460)).toBe(540)
  })

  test('refuses a key that is not Enabled any more', async () => {
    const key = await makeKey(services)
    const before = await objectsOf(pair)
    const refused = async (name: string) =>
      expect(rotateKey(services, key, 'ON_DEMAND')).rejects.toMatchObject({ name })
    await store.keys.change(key.keyId, 'Enabled', { state: 'Disabled' })
    await refused('DisabledException')
    const deletion = { state: 'PendingDeletion', deletionMs: nowMs } as const
    await store.keys.change(key.keyId, 'Disabled', deletion)
    await refused('KMSInvalidStateException')
    expect(await destroyKey(services, key)).toBe(true)
    await refused('NotFoundException')
    expect(await objectsOf(pair)).toEqual(before.filter((id) => id !== key.backingKeys[0]?.id))
  })
})

describe('a token that fails', () => {
  const failing = (part: Partial<HsmObjects>) => ({
    ...services,
    objects: { ...hsm.objects, ...part },
  })
  const down = new Error('the HSM process is down')

  test('before the object is made leaves the key ready for the next rotation', async () => {
    const key = await makeKey(services)
    const generateBackingKey = () => Promise.reject(down)
    const attempt = rotateKey(failing({ generateBackingKey }), key, 'ON_DEMAND')
    await expect(attempt).rejects.toBe(down)
    expect(await store.keys.find(key.keyId)).toEqual(key)
    expect((await rotateKey(services, key, 'ON_DEMAND')).backingKeys).toHaveLength(2)
  })

  test('after the object is made does not fail the rotation', async () => {
    const key = await makeKey(services)
    const generateBackingKey: HsmObjects['generateBackingKey'] = async (input) => {
      await hsm.objects.generateBackingKey(input)
      throw down
    }
    const rotated = await rotateKey(failing({ generateBackingKey }), key, 'ON_DEMAND')
    expect(rotated.backingKeys).toHaveLength(2)
  })

  test('altogether leaves the intent for reconcile, and no other change meanwhile', async () => {
    const key = await makeKey(services)
    const refuse = () => Promise.reject(down)
    const objects = { generateBackingKey: refuse, provesBackingKey: refuse }
    await expect(rotateKey(failing(objects), key, 'ON_DEMAND')).rejects.toBe(down)
    await expect(rotateKey(services, key, 'ON_DEMAND')).rejects.toMatchObject({
      name: 'ConflictException',
    })
    const [intent] = await store.intents.pending()
    expect(intent).toMatchObject({ keyId: key.keyId, kind: 'rotate' })
    await store.intents.abandon(intent?.intentId ?? '', nowMs)
  })
})

describe('destroyKey', () => {
  const deletion = (deletionMs: number) => ({ state: 'PendingDeletion', deletionMs }) as const

  test('waits for the end of the window, by the row and by the clock', async () => {
    const { keyId } = await makeKey(services)
    const endMs = nowMs + 7 * DAY_MS
    const key = authorised(await store.keys.change(keyId, 'Enabled', deletion(endMs)))
    const before = await objectsOf(pair)
    nowMs = endMs - 1
    expect(await destroyKey(services, key)).toBe(false)
    expect(await destroyKey(services, authorised({ ...key, deletionMs: 0 }))).toBe(false)
    expect(await objectsOf(pair)).toEqual(before)
    nowMs = endMs
    const blob = await encrypt(pair, key)
    expect(await destroyKey(services, key)).toBe(true)
    expect(await objectsOf(pair)).not.toContain(key.backingKeys[0]?.id)
    expect(await store.keys.find(keyId)).toBeUndefined()
    await expect(decrypt(pair, blob)).rejects.toThrow('no such key')
    expect(await destroyKey(services, key)).toBe(false)
  })

  test('lets the state win over the schedule', async () => {
    const key = await makeDueKey(services)
    const cancel = { state: 'Disabled', deletionMs: null } as const
    await store.keys.change(key.keyId, 'PendingDeletion', cancel)
    expect(await destroyKey(services, key)).toBe(false)
    expect(await objectsOf(pair)).toContain(key.backingKeys[0]?.id)
  })

  test("destroys every backing key, and no other key's", async () => {
    const other = await makeKey(services)
    let key = await makeKey(services)
    for (let count = 0; count < 3; count++) key = await rotateKey(services, key, 'ON_DEMAND')
    const due = authorised(await store.keys.change(key.keyId, 'Enabled', deletion(nowMs)))
    const before = await objectsOf(pair)
    const destroyed = await Promise.all([1, 2, 3].map(() => destroyKey(services, due)))
    expect(destroyed.filter(Boolean)).toHaveLength(1)
    const gone = key.backingKeys.map(({ id }) => id)
    expect(gone).toHaveLength(4)
    expect(await objectsOf(pair)).toEqual(before.filter((id) => !gone.includes(id)))
    expect(await decrypt(pair, await encrypt(pair, other))).toBe(`for ${other.keyId}`)
  })

  test('races a cancellation to one end', async () => {
    for (let round = 0; round < 5; round++) {
      const key = await makeDueKey(services)
      const cancel = { state: 'Disabled', deletionMs: null } as const
      const [destroyed, cancelled] = await Promise.all([
        destroyKey(services, key),
        store.keys.change(key.keyId, 'PendingDeletion', cancel),
      ])
      expect(destroyed).toBe(cancelled === undefined)
      expect((await objectsOf(pair)).includes(key.backingKeys[0]?.id ?? '')).toBe(!destroyed)
    }
  })

  test('can be repeated after the token failed half way', async () => {
    let key = await makeKey(services)
    key = await rotateKey(services, key, 'ON_DEMAND')
    const due = authorised(await store.keys.change(key.keyId, 'Enabled', deletion(nowMs)))
    let count = 0
    const objects: HsmObjects = {
      ...hsm.objects,
      destroyBackingKey: async (id) => {
        if (count++ > 0) throw new Error('the HSM process is down')
        await hsm.objects.destroyBackingKey(id)
      },
    }
    await expect(destroyKey({ ...services, objects }, due)).rejects.toThrow('down')
    const cancel = { state: 'Disabled', deletionMs: null } as const
    expect(await store.keys.change(key.keyId, 'PendingDeletion', cancel)).toBeUndefined()
    expect(await destroyKey(services, due)).toBe(true)
    expect(await store.keys.find(key.keyId)).toBeUndefined()
  })
})

/** The HSM as the other rooms see it, through a process of its own. */

import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Authorised } from '../../src/model/authorised.ts'
import { parseCiphertext } from '../../src/model/ciphertext.ts'
import { currentBackingKey, type Key } from '../../src/model/key.ts'
import { type HsmHandle, startHsm } from '../../src/pkcs11/client/supervisor.ts'
import { keyWith, makeKey, makeToken, type TestToken } from './token.ts'

const CONTEXT = Buffer.from('0000', 'hex')
const LIMITS = {}

let token: TestToken
let handle: HsmHandle
let key: Authorised<Key>

beforeAll(async () => {
  token = await makeToken()
  handle = await startHsm({ ...token.settings, workers: 2 }, { log: () => undefined })
  await handle.objects.createCanary()
  key = await makeKey(handle.objects)
})
afterAll(async () => {
  await handle.stop()
  token.remove()
})

const encrypt = (plaintext: Buffer, context = CONTEXT, under = key) =>
  handle.hsm.encrypt(under, { plaintext, context }, LIMITS)
const decrypt = (blob: Buffer, context = CONTEXT, under = key) =>
  handle.hsm.decrypt(under, { ciphertext: parseCiphertext(blob), context }, LIMITS)

describe('encrypt and decrypt', () => {
  test.each([1, 15, 16, 32, 4095, 4096])('give %i bytes back', async (length) => {
    const plaintext = randomBytes(length)
    const blob = await encrypt(plaintext)
    expect(blob.includes(plaintext.subarray(0, 16)) && length > 15).toBe(false)
    expect(await decrypt(blob)).toEqual(plaintext)
  })

  test('give everything back under its own context only', async () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 64 })
    const context = fc.uint8Array({ maxLength: 64 })
    await fc.assert(
      fc.asyncProperty(bytes, context, context, async (plaintext, bound, other) => {
        const blob = await encrypt(Buffer.from(plaintext), Buffer.from(bound))
        expect(await decrypt(blob, Buffer.from(bound))).toEqual(Buffer.from(plaintext))
        if (Buffer.compare(bound, other) === 0) return
        await expect(decrypt(blob, Buffer.from(other))).rejects.toMatchObject({
          name: 'InvalidCiphertextException',
        })
      }),
      { numRuns: 50 },
    )
  })

  test('refuse every tampering, and go on', async () => {
    const plaintext = randomBytes(24)
    const blob = await encrypt(plaintext)
    for (let at = 0; at < blob.length; at++) {
      const tampered = Buffer.from(blob)
      tampered[at] = (tampered[at] ?? 0) ^ (1 << (at % 8))
      // Taking apart refuses what the HSM is never asked.
      const attempt = (async () => decrypt(tampered))()
      await expect(attempt, `byte ${at}`).rejects.toMatchObject({
        name: 'InvalidCiphertextException',
        grpc: 'INVALID_ARGUMENT',
      })
    }
    expect(await decrypt(blob)).toEqual(plaintext)
  })

  test('refuse a ciphertext of another key, account or material', async () => {
    const blob = await encrypt(Buffer.from('x'))
    const others = [
      await makeKey(handle.objects),
      keyWith(key.backingKeys),
      { ...key, account: '999999999999' } as Authorised<Key>,
      { ...key, backingKeys: [{ ...currentBackingKey(key), suite: 2 }] } as Authorised<Key>,
    ]
    for (const other of others) {
      await expect(decrypt(blob, CONTEXT, other)).rejects.toMatchObject({
        name: 'InvalidCiphertextException',
      })
    }
  })

  test('use the material that is current, and find what is older', async () => {
    const old = await encrypt(Buffer.from('old'))
    const next = await makeKey(handle.objects)
    const backingKeys = [...key.backingKeys, ...next.backingKeys]
    const rotated = { ...key, backingKeys } as Authorised<Key>
    const blob = await encrypt(Buffer.from('new'), CONTEXT, rotated)
    expect(parseCiphertext(blob).backingKeyId).toBe(currentBackingKey(next).id)
    expect((await decrypt(old, CONTEXT, rotated)).toString()).toBe('old')
    expect((await decrypt(blob, CONTEXT, rotated)).toString()).toBe('new')
  })

  test('never give one caller what is another one’s', async () => {
    const keys = await Promise.all(Array.from({ length: 12 }, () => makeKey(handle.objects)))
    const step = fc.record({
      key: fc.nat({ max: keys.length - 1 }),
      plaintext: fc.uint8Array({ minLength: 1, maxLength: 200 }),
      context: fc.uint8Array({ maxLength: 20 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 64, maxLength: 64 }), async (steps) => {
        const results = await Promise.all(
          steps.map(async ({ key: at, plaintext, context }) => {
            const under = keys[at] ?? key
            const blob = await encrypt(Buffer.from(plaintext), Buffer.from(context), under)
            expect(parseCiphertext(blob).backingKeyId).toBe(currentBackingKey(under).id)
            return decrypt(blob, Buffer.from(context), under)
          }),
        )
        expect(results).toEqual(steps.map(({ plaintext }) => Buffer.from(plaintext)))
      }),
      { numRuns: 20 },
    )
  })

  test('give many large messages back at once', async () => {
    const plaintexts = Array.from({ length: 600 }, () => randomBytes(4096))
    const blobs = await Promise.all(plaintexts.map((plaintext) => encrypt(plaintext)))
    const opened = await Promise.all(blobs.map((blob) => decrypt(blob)))
    expect(opened).toEqual(plaintexts)
  })
})

describe('the other verbs', () => {
  test('re-encrypt under another key and context', async () => {
    const destination = await makeKey(handle.objects)
    const ciphertext = parseCiphertext(await encrypt(Buffer.from('moved'), Buffer.from('a')))
    const blob = await handle.hsm.reEncrypt(
      { key, ciphertext, context: Buffer.from('a') },
      { key: destination, context: Buffer.from('b') },
      LIMITS,
    )
    expect((await decrypt(blob, Buffer.from('b'), destination)).toString()).toBe('moved')
    await expect(
      handle.hsm.reEncrypt(
        { key, ciphertext, context: Buffer.from('b') },
        { key: destination, context: Buffer.from('b') },
        LIMITS,
      ),
    ).rejects.toMatchObject({ name: 'InvalidCiphertextException' })
  })

  test.each([1, 16, 32, 64, 1024])('make data keys of %i bytes', async (numberOfBytes) => {
    const input = { numberOfBytes, context: CONTEXT }
    const { plaintext, ciphertextBlob } = await handle.hsm.generateDataKey(key, input, LIMITS)
    expect(plaintext.length).toBe(numberOfBytes)
    expect(await decrypt(ciphertextBlob)).toEqual(plaintext)
    const blob = await handle.hsm.generateDataKeyWithoutPlaintext(key, input, LIMITS)
    const other = await decrypt(blob)
    expect(other.length).toBe(numberOfBytes)
    if (numberOfBytes >= 16) expect(other).not.toEqual(plaintext)
  })

  test('make random bytes', async () => {
    const draws = await Promise.all(
      Array.from({ length: 100 }, () => handle.hsm.generateRandom(32, LIMITS)),
    )
    expect(new Set(draws.map((draw) => draw.toString('hex'))).size).toBe(100)
  })

  test('never repeat a pair of nonce and IV', async () => {
    const blobs = await Promise.all(
      Array.from({ length: 1000 }, () => encrypt(Buffer.from('same'))),
    )
    const pairs = blobs.map((blob) => {
      const { nonce, iv } = parseCiphertext(blob)
      return Buffer.concat([nonce, iv]).toString('hex')
    })
    expect(new Set(pairs).size).toBe(pairs.length)
  })
})

describe('limits', () => {
  test('a call that is cancelled or late before the token is asked is aborted', async () => {
    const input = { plaintext: Buffer.from('x'), context: CONTEXT }
    const late = { deadlineMs: Date.now() - 1 }
    await expect(handle.hsm.encrypt(key, input, late)).rejects.toMatchObject({
      name: 'RequestAbortedException',
    })
    const gone = { signal: AbortSignal.abort() }
    await expect(handle.hsm.encrypt(key, input, gone)).rejects.toMatchObject({
      name: 'RequestAbortedException',
    })
  })

  test('calls whose deadline passes while they wait are answered late, never lost', async () => {
    const deadlineMs = Date.now() + 5
    const calls = Array.from({ length: 1000 }, () =>
      handle.hsm.encrypt(key, { plaintext: Buffer.alloc(4096), context: CONTEXT }, { deadlineMs }),
    )
    const results = await Promise.allSettled(calls)
    const reasons = results.flatMap((result) =>
      result.status === 'rejected' ? [result.reason.name] : [],
    )
    expect(reasons.length).toBeGreaterThan(0)
    // The second is for those that a worker had been sent: it goes on with them.
    const names = ['RequestAbortedException', 'DependencyTimeoutException']
    expect(reasons.filter((name) => !names.includes(name))).toEqual([])
    await expect.poll(() => handle.metrics().sent).toBe(0)
  })

  test('calls beyond the queue are refused at once', async () => {
    const calls = Array.from({ length: 3000 }, () => encrypt(Buffer.from('x')))
    const results = await Promise.allSettled(calls)
    const refused = results.filter((result) => result.status === 'rejected')
    // Two workers take 64 each, and 1024 wait.
    expect(refused.length).toBe(3000 - 2 * 64 - 1024)
    for (const { reason } of refused) expect(reason.name).toBe('ThrottlingException')
  })
})

test('a key whose material is not in the token is unavailable, not invalid', async () => {
  const lost = keyWith([{ ...currentBackingKey(key), id: randomBytes(16).toString('hex') }])
  await expect(encrypt(Buffer.from('x'), CONTEXT, lost)).rejects.toMatchObject({
    name: 'KeyUnavailableException',
  })
})

test('the check tells what the token is and can', async () => {
  const report = await handle.check()
  expect(report.identity).toMatchObject({ profile: 'softhsm', tokenLabel: 'keyslot test' })
  expect(report.canary).toBe('good')
  // Two, and one for slow calls.
  expect(report.workers).toBe(3)
  // SoftHSM 2.6.1 takes no OAEP but with SHA-1.
  const lacking = report.capabilities.filter(({ proved }) => !proved).map(({ name }) => name)
  expect(lacking).toEqual(['CKM_RSA_PKCS_OAEP/SHA-256'])
})

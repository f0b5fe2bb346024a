/** The HSM process: how it starts, how it dies, and what comes after. */

import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseCiphertext } from '../../src/model/ciphertext.ts'
import { KmsError } from '../../src/model/failures.ts'
import { type HsmHandle, type HsmState, startHsm } from '../../src/pkcs11/client/supervisor.ts'
import { initToken } from '../../src/pkcs11/init-token.ts'
import { parseObject } from '../../src/pkcs11/profiles/softhsm-files.ts'
import type { HsmSettings } from '../../src/pkcs11/settings.ts'
import { makeKey, makeToken, type TestToken } from './token.ts'

const CONTEXT = Buffer.alloc(2)
const LIMITS = {}
/** CKF_USER_PIN_COUNT_LOW, and the attribute in which SoftHSM keeps a token's flags. */
const PIN_COUNT_LOW = 0x10000n
const TOKEN_FLAGS = 0x8000534b

let token: TestToken
let handles: HsmHandle[]

beforeEach(async () => {
  token = await makeToken()
  handles = []
})
afterEach(async () => {
  await Promise.all(handles.map((handle) => handle.stop()))
  token.remove()
})

async function start(change: Partial<HsmSettings> = {}): Promise<HsmHandle> {
  const handle = await startHsm({ ...token.settings, ...change }, { log: () => undefined })
  handles.push(handle)
  return handle
}

function until(handle: HsmHandle, wanted: HsmState['state']): Promise<HsmState> {
  return new Promise((resolve) => {
    if (handle.state().state === wanted) {
      resolve(handle.state())
      return
    }
    const stop = handle.onChange((state) => {
      if (state.state !== wanted) return
      stop()
      resolve(state)
    })
  })
}

const tokenObject = () => {
  const tokens = join(token.directory, 'tokens')
  return join(tokens, readdirSync(tokens)[0] ?? '', 'token.object')
}
const encryptWith = (handle: HsmHandle, key: Awaited<ReturnType<typeof makeKey>>, text: string) =>
  handle.hsm.encrypt(key, { plaintext: Buffer.from(text), context: CONTEXT }, LIMITS)
const decryptWith = (handle: HsmHandle, key: Awaited<ReturnType<typeof makeKey>>, blob: Buffer) =>
  handle.hsm.decrypt(key, { ciphertext: parseCiphertext(blob), context: CONTEXT }, LIMITS)

describe('the PIN', () => {
  test('in a file that others may read is refused with the reason', async () => {
    chmodSync(token.settings.pinFile, 0o640)
    const handle = await start()
    expect(handle.state()).toMatchObject({
      state: 'refused',
      reason: expect.stringContaining('has mode 0640; it must be 0400 or 0600'),
    })
  })

  test('may come by a descriptor, and again after a restart', async () => {
    const pinFd = openSync(token.settings.pinFile, 'r')
    const handle = await start({ pinFile: undefined, pinFd })
    expect(handle.state().state).toBe('ready')
    process.kill(handle.pid() ?? 0, 'SIGKILL')
    await until(handle, 'down')
    expect((await until(handle, 'ready')).state).toBe('ready')
  })

  test('that is wrong is tried once, and never again', async () => {
    const pinFile = join(token.directory, 'wrong')
    writeFileSync(pinFile, 'wrong pin', { mode: 0o400 })
    const handle = await start({ pinFile })
    expect(handle.state()).toMatchObject({
      state: 'refused',
      reason: expect.stringContaining('CKR_PIN_INCORRECT'),
    })
    // SoftHSM notes a wrong PIN in the token's flags; were it to be tried again, it would be
    // written again.
    const after = readFileSync(tokenObject())
    const flags = parseObject(after)?.get(TOKEN_FLAGS)?.readBigUInt64BE() ?? 0n
    expect(flags & PIN_COUNT_LOW).toBe(PIN_COUNT_LOW)
    await sleep(500)
    expect(handle.state().state).toBe('refused')
    expect(handle.pid()).toBeUndefined()
    expect(handle.metrics().restarts).toBe(0)
    expect(readFileSync(tokenObject())).toEqual(after)
    await expect(handle.hsm.generateRandom(1, LIMITS)).rejects.toMatchObject({
      grpc: 'UNAVAILABLE',
    })
    expect((await start()).state().state).toBe('ready')
  })
})

describe('a process that is killed', () => {
  test('under load fails what it has, comes back, and loses nothing', async () => {
    const handle = await start()
    await handle.objects.createCanary()
    const key = await makeKey(handle.objects)
    const blobs: Buffer[] = []
    const failures: unknown[] = []
    let isOver = false
    const callers = Array.from({ length: 16 }, async () => {
      while (!isOver) {
        try {
          blobs.push(await encryptWith(handle, key, 'kept'))
        } catch (cause) {
          failures.push(cause)
          await sleep(10)
        }
      }
    })
    for (let kill = 0; kill < 3; kill++) {
      await sleep(150)
      const killedMs = performance.now()
      process.kill(handle.pid() ?? 0, 'SIGKILL')
      await until(handle, 'down')
      await until(handle, 'ready')
      expect(performance.now() - killedMs).toBeLessThan(5000)
    }
    isOver = true
    await Promise.all(callers)
    expect(failures.length).toBeGreaterThan(0)
    for (const failure of failures) {
      expect(failure).toBeInstanceOf(KmsError)
      expect(failure).toMatchObject({ name: 'KMSInternalException', grpc: 'UNAVAILABLE' })
    }
    const opened = await Promise.all(
      blobs.slice(0, 1000).map((blob) => decryptWith(handle, key, blob)),
    )
    expect(new Set(opened.map(String))).toEqual(new Set(['kept']))
    expect(handle.metrics().restarts).toBe(3)
  })

  test('because it hangs lets its callers wait no longer than they have to', async () => {
    const handle = await start({ callTimeoutMs: 300 })
    await handle.objects.createCanary()
    const key = await makeKey(handle.objects)
    process.kill(handle.pid() ?? 0, 'SIGSTOP')
    const startedMs = performance.now()
    await expect(encryptWith(handle, key, 'x')).rejects.toMatchObject({
      name: 'DependencyTimeoutException',
    })
    expect(performance.now() - startedMs).toBeLessThan(4000)
    await until(handle, 'ready')
    const blob = await encryptWith(handle, key, 'x')
    expect((await decryptWith(handle, key, blob)).toString()).toBe('x')
  })
})

test('a process that is stopped answers what it has', async () => {
  const handle = await start()
  await handle.objects.createCanary()
  const key = await makeKey(handle.objects)
  const calls = Promise.allSettled(
    Array.from({ length: 200 }, () => encryptWith(handle, key, 'last')),
  )
  // One turn, in which the calls leave.
  await sleep(0)
  await handle.stop()
  const results = await calls
  const answered = results.filter(({ status }) => status === 'fulfilled')
  expect(answered.length).toBeGreaterThanOrEqual(64)
  for (const result of results) {
    if (result.status === 'rejected') expect(result.reason).toMatchObject({ grpc: 'UNAVAILABLE' })
  }
  await expect(encryptWith(handle, key, 'late')).rejects.toMatchObject({ grpc: 'UNAVAILABLE' })
})

describe('the token', () => {
  test('whose token.object a kill has truncated is restored', async () => {
    const first = await start()
    const canaryId = await first.objects.createCanary()
    const key = await makeKey(first.objects)
    const blob = await encryptWith(first, key, 'kept')
    await first.stop()
    for (const length of [0, 10, 100, 200]) {
      truncateSync(tokenObject(), length)
      const handle = await start({ canaryId })
      expect(handle.state().state, `${length} bytes`).toBe('ready')
      expect((await decryptWith(handle, key, blob)).toString()).toBe('kept')
      await handle.stop()
    }
  })

  test('serves processes that all start at once', async () => {
    const first = await start()
    const canaryId = await first.objects.createCanary()
    await first.stop()
    const all = await Promise.all(Array.from({ length: 4 }, () => start({ canaryId })))
    await Promise.all(all.map((handle) => until(handle, 'ready')))
    const draws = await Promise.all(all.map(({ hsm }) => hsm.generateRandom(16, LIMITS)))
    expect(new Set(draws.map((draw) => draw.toString('hex'))).size).toBe(4)
  })

  test('is initialised once', async () => {
    const soPinFile = join(token.directory, 'so-pin')
    const before = readFileSync(tokenObject())
    const again = await initToken({ ...token.settings, soPinFile })
    expect(again).toMatchObject({ tokenLabel: 'keyslot test', made: false })
    expect(readFileSync(tokenObject())).toEqual(before)
    truncateSync(tokenObject(), 100)
    rmSync(`${tokenObject()}.keyslot-copy`)
    await expect(initToken({ ...token.settings, soPinFile })).rejects.toThrow('damaged')
  })

  test('that is damaged beyond repair is refused clearly, not replaced', async () => {
    const first = await start()
    const canaryId = await first.objects.createCanary()
    await first.stop()
    const copy = `${tokenObject()}.keyslot-copy`
    expect(existsSync(copy)).toBe(true)
    renameSync(copy, join(token.directory, 'copy-away'))
    truncateSync(tokenObject(), 100)
    const handle = await start({ canaryId })
    expect(handle.state()).toMatchObject({
      state: 'down',
      reason: expect.stringContaining('damaged beyond repair'),
    })
  })

  test('that is gone is not ready, loses nothing, and is found when it is back', async () => {
    const handle = await start({ canaryIntervalMs: 200 })
    await handle.objects.createCanary()
    const key = await makeKey(handle.objects)
    const blob = await encryptWith(handle, key, 'kept')
    const tokens = join(token.directory, 'tokens')
    renameSync(tokens, `${tokens}-away`)
    const down = await until(handle, 'down')
    expect(down.reason).toMatch(/not the one this store was made with|canary/)
    await expect(
      handle.objects.destroyBackingKey(key.backingKeys[0]?.id ?? ''),
    ).rejects.toMatchObject({ grpc: 'UNAVAILABLE' })
    renameSync(`${tokens}-away`, tokens)
    await until(handle, 'ready')
    expect((await decryptWith(handle, key, blob)).toString()).toBe('kept')
  })

  test('of another installation is not taken for ours', async () => {
    const first = await start()
    await first.objects.createCanary()
    await makeKey(first.objects)
    await first.stop()
    const stranger = await start({ canaryId: '00112233445566778899aabbccddeeff' })
    expect(stranger.state()).toMatchObject({
      state: 'down',
      reason: expect.stringContaining('this token is not the one this store was made with'),
    })
    const newcomer = await start()
    await expect(newcomer.objects.createCanary()).rejects.toMatchObject({
      name: 'KMSInternalException',
      message: expect.stringContaining('does not know'),
    })
  })

  test('takes back a canary that the store never heard of', async () => {
    const first = await start()
    const canaryId = await first.objects.createCanary()
    await first.stop()
    const second = await start()
    expect(await second.objects.createCanary()).toBe(canaryId)
  })

  test('without the derivation serves in suite 2, and says why', async () => {
    const handle = await start({ withdraw: ['CKM_AES_CBC_ENCRYPT_DATA'] })
    await handle.objects.createCanary()
    expect(await handle.objects.suite()).toBe(2)
    const key = await makeKey(handle.objects)
    const blob = await encryptWith(handle, key, 'direct')
    expect(parseCiphertext(blob).suite).toBe(2)
    expect((await decryptWith(handle, key, blob)).toString()).toBe('direct')
    const { capabilities } = await handle.check()
    expect(capabilities.find(({ name }) => name === 'CKM_AES_CBC_ENCRYPT_DATA')).toMatchObject({
      proved: false,
      withdrawn: 'withdrawn by the settings',
    })
  })

  test('in FIPS mode takes no padding off outside the token', async () => {
    const handle = await start({ fips: true })
    const { capabilities } = await handle.check()
    expect(capabilities.find(({ name }) => name === 'CKM_RSA_X_509')).toMatchObject({
      proved: false,
      withdrawn: 'withdrawn by the settings',
    })
    const usage = 'ENCRYPT_DECRYPT'
    expect(await handle.objects.lacks({ spec: 'RSA_2048', usage })).toMatch(/OAEP/)
    const free = await start()
    expect(await free.objects.lacks({ spec: 'RSA_2048', usage })).toBeUndefined()
    // Whose seed would have to be seen.
    await handle.objects.createCanary()
    const wrapping = {
      id: randomBytes(16).toString('hex'),
      keyId: 'fips',
      spec: 'RSA_2048',
      algorithm: 'RSAES_OAEP_SHA_1',
    } as const
    const edwards = { spec: 'ECC_NIST_EDWARDS25519', usage: 'SIGN_VERIFY' } as const
    await expect(
      handle.objects.makeWrappingKey({ ...wrapping, kind: edwards }),
    ).rejects.toMatchObject({
      name: 'UnsupportedOperationException',
      message: expect.stringContaining('does not unwrap keys of ECC_NIST_EDWARDS25519'),
    })
    expect(await handle.objects.listWrappingKeys()).toEqual([])
    const nist = { spec: 'ECC_NIST_P256', usage: 'SIGN_VERIFY' } as const
    await handle.objects.makeWrappingKey({ ...wrapping, kind: nist })
    await handle.objects.destroyWrappingKey(wrapping.id)
  })

  test('without AES-GCM is refused', async () => {
    const handle = await start({ withdraw: ['CKM_AES_GCM'] })
    expect(handle.state()).toMatchObject({
      state: 'refused',
      reason: expect.stringContaining('CKM_AES_GCM: withdrawn by the settings'),
    })
  })
})

test('a module that cannot be loaded is refused with the reason', async () => {
  const handle = await start({ modulePath: join(token.directory, 'none.so'), profile: 'softhsm' })
  expect(handle.state()).toMatchObject({
    state: 'refused',
    reason: expect.stringContaining('cannot be loaded'),
  })
})

test('the process ends by itself when the door dies', async () => {
  const door = spawn(
    process.execPath,
    ['--input-type=module', '-e', DOOR, JSON.stringify(token.settings)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const [pid] = await new Promise<string[]>((resolve) =>
    door.stdout.once('data', (bytes: Buffer) => resolve(bytes.toString().split('\n'))),
  )
  expect(existsSync(`/proc/${pid}`)).toBe(true)
  door.kill('SIGKILL')
  for (let wait = 0; wait < 50 && isAlive(Number(pid)); wait++) await sleep(100)
  expect(isAlive(Number(pid))).toBe(false)
  expect((await start()).state().state).toBe('ready')
})

const DOOR = `
import { startHsm } from ${JSON.stringify(new URL('../../src/pkcs11/client/supervisor.ts', import.meta.url).href)}
const handle = await startHsm(JSON.parse(process.argv[1]), { log: () => undefined })
console.log(handle.pid())
setInterval(() => undefined, 1000)
`

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

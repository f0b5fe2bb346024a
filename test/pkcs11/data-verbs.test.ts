/** What a worker makes of what the token answers; faults are injected around the module. */

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Ciphertext, parseCiphertext } from '../../src/model/ciphertext.ts'
import type { DataVerbs } from '../../src/pkcs11/process/data-verbs.ts'
import { DeviceFaultError, StatusError } from '../../src/pkcs11/process/guarded-session.ts'
import { STATUS } from '../../src/pkcs11/wire.ts'
import { bindings, type Fault, failure, type InProcessToken, openHere } from './in-process.ts'

const CONTEXT = Buffer.alloc(2)
const SECRET = Buffer.from('a secret')

let token: InProcessToken
let key: ReturnType<InProcessToken['makeKey']>

beforeAll(async () => {
  token = await openHere()
  key = token.makeKey()
})
afterAll(() => token.close())

/** Data verbs whose calls go through a fault that can be changed, and a count of sessions. */
function faulty() {
  const state: { fault: Fault; sessions: number } = { fault: (_, result) => result(), sessions: 0 }
  const pkcs11 = bindings(token.settings, (call, result) => {
    if (call === 'C_OpenSession') state.sessions += 1
    return state.fault(call, result)
  })
  return { state, verbs: token.verbs({ pkcs11 }) }
}

/** Fails the call of this name the given number of times, after letting some pass. */
function failing(call: string, code: readonly [string, number], times: number, pass = 0): Fault {
  let passes = pass
  let left = times
  return (name, result) => {
    if (name !== call || left === 0) return result()
    if (passes-- > 0) return result()
    left -= 1
    throw failure(...code)
  }
}

function decrypt(verbs: DataVerbs, blob: Buffer, context = CONTEXT): string {
  const parsed = parseCiphertext(blob)
  try {
    return verbs.decrypt(key, context, parsed.nonce, parsed).toString()
  } finally {
    verbs.wipe()
  }
}

function statusOf(run: () => unknown): number | 'device' | 'none' {
  try {
    run()
    return 'none'
  } catch (cause) {
    if (cause instanceof DeviceFaultError) return 'device'
    if (cause instanceof StatusError) return cause.status
    throw cause
  }
}

const GENERAL_ERROR = ['CKR_GENERAL_ERROR', 5] as const
const HANDLE_INVALID = ['CKR_OBJECT_HANDLE_INVALID', 0x82] as const

describe('a ciphertext', () => {
  test('that is not authentic is refused, and the session stays', () => {
    const { state, verbs } = faulty()
    const blob = verbs.encrypt(key, CONTEXT, SECRET)
    const { sealed, iv, nonce }: Ciphertext = parseCiphertext(blob)
    const before = state.sessions
    const first = sealed[0] ?? 0
    sealed[0] = first ^ 1
    expect(statusOf(() => verbs.decrypt(key, CONTEXT, nonce, { iv, sealed }))).toBe(
      STATUS.invalidCiphertext,
    )
    sealed[0] = first
    expect(decrypt(verbs, blob)).toBe('a secret')
    expect(state.sessions).toBe(before)
  })

  test('is not blamed for one fault of the token', () => {
    const { state, verbs } = faulty()
    const blob = verbs.encrypt(key, CONTEXT, SECRET)
    state.fault = failing('C_Decrypt', GENERAL_ERROR, 1)
    expect(decrypt(verbs, blob)).toBe('a secret')
  })

  test('is not blamed while the canary fails as well', () => {
    const { state, verbs } = faulty()
    const blob = verbs.encrypt(key, CONTEXT, SECRET)
    state.fault = failing('C_Decrypt', GENERAL_ERROR, Number.POSITIVE_INFINITY)
    expect(statusOf(() => decrypt(verbs, blob))).toBe('device')
  })

  test('is not blamed for a fault of the derivation before it', () => {
    const { state, verbs } = faulty()
    const blob = verbs.encrypt(key, CONTEXT, SECRET)
    const { state: other, verbs: fresh } = faulty()
    other.fault = failing('C_DeriveKey', GENERAL_ERROR, Number.POSITIVE_INFINITY)
    expect(statusOf(() => decrypt(fresh, blob))).toBe(STATUS.deviceFault)
    other.fault = state.fault
    expect(decrypt(fresh, blob)).toBe('a secret')
  })

  test.each([
    ['CKR_ENCRYPTED_DATA_INVALID', 0x40],
    ['CKR_FUNCTION_FAILED', 6],
    ['CKR_VENDOR_DEFINED', 0x80000123],
  ] as const)('is refused when the token says %s of it and decrypts the canary', (name, number) => {
    const { state, verbs } = faulty()
    const blob = verbs.encrypt(key, CONTEXT, SECRET)
    // Its own decryption fails, the canary's passes, and so on.
    let calls = 0
    state.fault = (call, result) => {
      if (call === 'C_Decrypt' && calls++ % 2 === 0) {
        result()
        throw failure(name, number)
      }
      return result()
    }
    expect(statusOf(() => decrypt(verbs, blob))).toBe(STATUS.invalidCiphertext)
  })
})

describe('a session', () => {
  test('is replaced after anything unexpected, and the call succeeds', () => {
    for (const call of ['C_EncryptInit', 'C_Encrypt', 'C_DecryptInit', 'C_DeriveKey']) {
      const { state, verbs } = faulty()
      const before = state.sessions
      // The first decryption is the canary's.
      state.fault = failing(call, ['CKR_OPERATION_ACTIVE', 0x90], 1, call === 'C_DeriveKey' ? 0 : 1)
      expect(decrypt(verbs, verbs.encrypt(key, CONTEXT, SECRET))).toBe('a secret')
      expect(state.sessions).toBe(before + 1)
    }
  })

  test('that does not come back is a fault of the device', () => {
    const { state, verbs } = faulty()
    state.fault = (call, result) => {
      if (call === 'C_OpenSession' || call === 'C_DeriveKey') throw failure(...GENERAL_ERROR)
      return result()
    }
    expect(statusOf(() => verbs.encrypt(key, CONTEXT, SECRET))).toBe('device')
  })
})

describe('a device', () => {
  test.each([
    ['CKR_DEVICE_REMOVED', 0x32],
    ['CKR_TOKEN_NOT_PRESENT', 0xe0],
    ['CKR_USER_NOT_LOGGED_IN', 0x101],
  ] as const)('is given up at once after %s', (...code) => {
    const { state, verbs } = faulty()
    const blob = verbs.encrypt(key, CONTEXT, SECRET)
    state.fault = failing('C_DecryptInit', code, 1)
    expect(statusOf(() => decrypt(verbs, blob))).toBe('device')
  })

  test('that encrypts wrongly is found out before the ciphertext leaves', () => {
    const { state, verbs } = faulty()
    verbs.encrypt(key, CONTEXT, SECRET)
    state.fault = (call, result) => {
      const output = result()
      // A ciphertext that decrypts, but to something else.
      if (call === 'C_Decrypt' && Buffer.isBuffer(output)) output[35] = (output[35] ?? 0) ^ 1
      return output
    }
    expect(statusOf(() => verbs.encrypt(key, CONTEXT, SECRET))).toBe('device')
  })
})

describe('a backing key', () => {
  test('whose handle the token does not know is looked for, not declared gone', () => {
    const { state, verbs } = faulty()
    state.fault = failing('C_DeriveKey', HANDLE_INVALID, 2)
    expect(statusOf(() => verbs.encrypt(key, CONTEXT, SECRET))).toBe(STATUS.keyNotFound)
    expect(decrypt(verbs, verbs.encrypt(key, CONTEXT, SECRET))).toBe('a secret')
  })

  test('whose derived key is lost is derived again', () => {
    const { state, verbs } = faulty()
    const blob = verbs.encrypt(key, CONTEXT, SECRET)
    state.fault = failing('C_DecryptInit', HANDLE_INVALID, 1)
    expect(decrypt(verbs, blob)).toBe('a secret')
  })

  test('that is destroyed is of no use from then on, derived keys included', () => {
    const { verbs } = faulty()
    const doomed = token.makeKey()
    const blob = Buffer.from(verbs.encrypt(doomed, CONTEXT, SECRET))
    token.served.objects.destroy(doomed.backingKeyId)
    const { nonce, ...sealed } = parseCiphertext(blob)
    const use = () => verbs.decrypt(doomed, CONTEXT, nonce, sealed)
    expect(statusOf(use)).toBe(STATUS.keyNotFound)
    expect(statusOf(() => verbs.encrypt(doomed, CONTEXT, SECRET))).toBe(STATUS.keyNotFound)
  })
})

describe('derived keys', () => {
  const nonceOf = (verbs: DataVerbs) =>
    parseCiphertext(verbs.encrypt(key, CONTEXT, SECRET)).nonce.toString('hex')

  test('change after so many messages', () => {
    const verbs = token.verbs({
      derivedKeyLimits: { messagesMax: 3, ageMaxMs: 60_000, keptMax: 8 },
    })
    const nonces = Array.from({ length: 7 }, () => nonceOf(verbs))
    expect(nonces.map((nonce) => nonces.indexOf(nonce))).toEqual([0, 0, 0, 3, 3, 3, 6])
  })

  test('change after so long', () => {
    let nowMs = 0
    const verbs = token.verbs({
      derivedKeyLimits: { messagesMax: 2 ** 20, ageMaxMs: 60_000, keptMax: 8 },
      nowMs: () => nowMs,
    })
    const first = nonceOf(verbs)
    nowMs = 59_999
    expect(nonceOf(verbs)).toBe(first)
    nowMs = 60_000
    expect(nonceOf(verbs)).not.toBe(first)
  })

  test('are bounded, and those that were given up are derived again', () => {
    let live = 0
    const pkcs11 = bindings(token.settings, (call, result) => {
      const output = result()
      if (call === 'C_DeriveKey') live += 1
      if (call === 'C_DestroyObject') live -= 1
      return output
    })
    const verbs = token.verbs({
      pkcs11,
      derivedKeyLimits: { messagesMax: 1, ageMaxMs: 60_000, keptMax: 4 },
    })
    const blobs = Array.from({ length: 12 }, () => verbs.encrypt(key, CONTEXT, SECRET))
    expect(live).toBe(4)
    for (const blob of blobs) expect(decrypt(verbs, blob)).toBe('a secret')
    expect(live).toBe(4)
  })
})

test('garbage collection between the calls into the module mixes nothing up', () => {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const pkcs11 = bindings(token.settings, (call, result) => {
    // After the token has been given its parameters, and before it uses them.
    if (call === 'C_Encrypt' || call === 'C_Decrypt') collect()
    return result()
  })
  const verbs = token.verbs({ pkcs11 })
  const plaintexts = Array.from({ length: 10 }, (_, at) => Buffer.alloc(4096, at + 1))
  const blobs = plaintexts.map((plaintext) => verbs.encrypt(key, CONTEXT, plaintext))
  for (const [at, blob] of blobs.entries()) {
    expect(decrypt(verbs, blob)).toBe(plaintexts[at]?.toString())
  }
})

describe('suite 2', () => {
  test('encrypts under the backing key itself, without a nonce', () => {
    const verbs = token.verbs()
    const direct = token.makeKey(2)
    const parsed = parseCiphertext(verbs.encrypt(direct, CONTEXT, SECRET))
    expect(parsed.suite).toBe(2)
    expect(parsed.nonce.length).toBe(0)
    expect(verbs.decrypt(direct, CONTEXT, parsed.nonce, parsed).toString()).toBe('a secret')
  })
})

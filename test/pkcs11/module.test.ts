/** What surrounds the token: the PIN's file, return values, capabilities. */

import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pkcs11js from 'pkcs11js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { IvMode, Profile } from '../../src/pkcs11/profiles/profile.ts'
import { softhsm } from '../../src/pkcs11/profiles/softhsm.ts'
import { proveCapabilities, suiteOf } from '../../src/pkcs11/token/capabilities.ts'
import { findToken, loadModule, RefusedError, readPin } from '../../src/pkcs11/token/module.ts'
import { returnValue } from '../../src/pkcs11/token/return-values.ts'
import { TokenSession } from '../../src/pkcs11/token/session.ts'
import { bindings, type Fault, failure, type InProcessToken, openHere } from './in-process.ts'

let token: InProcessToken

beforeAll(async () => {
  token = await openHere()
})
afterAll(() => token.close())

describe('the file of the PIN', () => {
  const file = (content: string, mode: number) => {
    const path = join(token.directory, `pin-${Math.random()}`)
    writeFileSync(path, content)
    chmodSync(path, mode)
    return path
  }

  test.each([0o400, 0o600])('may have mode %o', (mode) => {
    expect(readPin({ file: file('1234\n', mode) })).toBe('1234')
  })

  test.each([0o644, 0o640, 0o604, 0o660, 0o700, 0o4400])('may not have mode %o', (mode) => {
    expect(() => readPin({ file: file('1234\n', mode) })).toThrow('it must be 0400 or 0600')
  })

  test('is a regular file, or a link to one, and holds something', () => {
    const directory = join(token.directory, 'directory')
    mkdirSync(directory, { mode: 0o400 })
    expect(() => readPin({ file: directory })).toThrow('not a regular file')
    expect(() => readPin({ file: file('\n', 0o400) })).toThrow('empty')
    expect(() => readPin({ file: join(token.directory, 'none') })).toThrow('ENOENT')
    const link = join(token.directory, 'link')
    symlinkSync(file('12 34\r\n', 0o400), link)
    expect(readPin({ file: link })).toBe('12 34')
  })
})

describe('return values', () => {
  test('that the binding knows each have a row', () => {
    const codes = Object.entries(pkcs11js).filter(([name]) => name.startsWith('CKR_'))
    expect(codes.length).toBeGreaterThan(90)
    for (const [name, code] of codes) {
      if (name === 'CKR_VENDOR_DEFINED') continue
      expect(returnValue(code as number).name).toBe(name)
    }
  })

  test('that nobody knows are ambiguous, and cost the session', () => {
    expect(returnValue(0x80000001)).toEqual({
      name: 'CKR_VENDOR_DEFINED (0x80000001)',
      fault: 'ambiguous',
      follows: 'close session',
    })
  })
})

describe('capabilities', () => {
  function prove(fault?: Fault, profile: Profile = softhsm, withdrawn: readonly string[] = []) {
    const module = loadModule(token.settings, () => undefined)
    const { slot } = findToken(module, token.settings.tokenLabel)
    const session = TokenSession.open(bindings(token.settings, fault), slot.handle, profile)
    try {
      return proveCapabilities(slot, session, withdrawn)
    } finally {
      session.close()
    }
  }
  const reasonOf = (all: ReturnType<typeof prove>, wanted: string) =>
    all.find(({ name }) => name === wanted)?.withdrawn

  test('are all proved on a sound token, but what it is known to lack', () => {
    const all = prove()
    const lacking = all.filter(({ proved }) => !proved).map(({ name }) => name)
    // SoftHSM 2.6.1 takes no OAEP but with SHA-1.
    expect(lacking).toEqual(['CKM_RSA_PKCS_OAEP/SHA-256'])
    expect(suiteOf(all)).toBe(1)
  })

  test('are proved by round trips where the token takes no key from outside', () => {
    const all = prove((call, result) => {
      if (call === 'C_CreateObject') throw failure('CKR_ACTION_PROHIBITED', 0x1b)
      return result()
    })
    expect(suiteOf(all)).toBe(1)
  })

  test.each<IvMode>([
    { made: 'in place', bytes: 12 },
    { made: 'behind the tag', bytes: 16 },
  ])('do not include an IV $made on a token that does not make one', (gcmIv) => {
    const all = prove(undefined, { ...softhsm, gcmIv })
    expect(reasonOf(all, 'CKM_AES_GCM')).toMatch(/share an IV|C_Encrypt made/)
    expect(suiteOf(all)).toBeUndefined()
  })

  test('do not include a generator that writes nothing', () => {
    const all = prove((call, result) => {
      const random = result()
      if (call === 'C_GenerateRandom' && Buffer.isBuffer(random)) random.fill(0)
      return random
    })
    expect(reasonOf(all, 'C_GenerateRandom')).toContain('two draws are equal')
    expect(suiteOf(all)).toBeUndefined()
  })

  test('do not include a GCM that accepts any tag', () => {
    let plaintext = Buffer.alloc(0)
    const all = prove((call, result) => {
      try {
        const output = result()
        if (call === 'C_Decrypt' && Buffer.isBuffer(output)) plaintext = Buffer.from(output)
        return output
      } catch (cause) {
        if (call !== 'C_Decrypt') throw cause
        return plaintext
      }
    })
    expect(reasonOf(all, 'CKM_AES_GCM')).toContain('it decrypts with other additional data')
  })

  test('do not include a derivation that ignores its data', () => {
    let first: Buffer | undefined
    const all = prove((call, result) => {
      if (call !== 'C_DeriveKey') return result()
      first ??= result() as Buffer
      return first
    })
    expect(reasonOf(all, 'CKM_AES_CBC_ENCRYPT_DATA')).toContain('the key of another nonce')
    expect(suiteOf(all)).toBe(2)
  })

  test('do not include one that computes something else', () => {
    const all = prove((call, result) => {
      const output = result()
      if (call === 'C_Encrypt' && Buffer.isBuffer(output)) output[0] = (output[0] ?? 0) ^ 1
      return output
    })
    expect(reasonOf(all, 'CKM_AES_GCM')).toContain('failed its proof')
  })

  test('do not include what the operator has withdrawn', () => {
    const all = prove(undefined, softhsm, ['CKM_AES_CBC_ENCRYPT_DATA'])
    expect(reasonOf(all, 'CKM_AES_CBC_ENCRYPT_DATA')).toBe('withdrawn by the settings')
    expect(suiteOf(all)).toBe(2)
  })
})

test('a module of another kind than its file name says has to be named', () => {
  const modulePath = join(token.directory, 'vendor.so')
  symlinkSync(token.settings.modulePath, modulePath)
  expect(() => loadModule({ ...token.settings, modulePath }, () => undefined)).toThrow(RefusedError)
  const named = { ...token.settings, modulePath, profile: 'softhsm' } as const
  expect(loadModule(named, () => undefined).profile.name).toBe('softhsm')
})

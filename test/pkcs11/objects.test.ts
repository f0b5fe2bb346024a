/** Backing keys in the token: their templates, their making and their end. */

import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { HandleLogWriter, newHandleLog } from '../../src/pkcs11/process/handle-log.ts'
import { CanaryError, TokenObjects } from '../../src/pkcs11/process/objects.ts'
import { softhsm } from '../../src/pkcs11/profiles/softhsm.ts'
import { isWholeKey, parseObject } from '../../src/pkcs11/profiles/softhsm-files.ts'
import { TokenSession } from '../../src/pkcs11/token/session.ts'
import {
  backingKeyTemplate,
  expectedOf,
  type FixedAttribute,
  templateFaults,
} from '../../src/pkcs11/token/templates.ts'
import { bindings, type InProcessToken, openHere } from './in-process.ts'

let token: InProcessToken
let session: TokenSession
const logged: string[] = []

beforeAll(async () => {
  token = await openHere({}, (_, message, fields) => {
    logged.push(`${message} ${JSON.stringify(fields)}`)
  })
  const slotId = Buffer.from(token.served.workerStart(0).slotId)
  session = TokenSession.open(bindings(token.settings), slotId, softhsm)
})
afterAll(() => {
  session.close()
  token.close()
})

const name = () => ({ id: randomBytes(16), label: 'keyslot test 1' })
const tokenDirectory = () => {
  const [directory = ''] = readdirSync(join(token.directory, 'tokens'))
  return join(token.directory, 'tokens', directory)
}

function flipped({ value, ...rest }: FixedAttribute): FixedAttribute {
  if (typeof value === 'boolean') return { ...rest, value: !value }
  if (typeof value === 'number') return { ...rest, value: value + 1 }
  if (typeof value === 'string') return { ...rest, value: `${value}x` }
  const bytes = Buffer.from(value)
  bytes[0] = (bytes[0] ?? 0) ^ 1
  return { ...rest, value: bytes }
}

describe.each([1, 2] as const)('the template of suite %i', (suite) => {
  test('reads back as it was set, and every attribute counts', () => {
    const named = name()
    const expected = expectedOf(backingKeyTemplate(named, suite, softhsm), softhsm)
    const handle = session.generateKey(backingKeyTemplate(named, suite, softhsm))
    const types = expected.map(({ type }) => type)
    const actual = session.read(handle, types)
    expect(templateFaults(expected, actual)).toEqual([])
    for (const [at, attribute] of expected.entries()) {
      const wrong = expected.with(at, flipped(attribute))
      expect(templateFaults(wrong, actual)).toEqual([attribute.name])
      const missing = actual.map((value, index) => (index === at ? Buffer.alloc(0) : value))
      expect(templateFaults(expected, missing)).toEqual([attribute.name])
    }
    session.destroyObject(handle)
  })

  test('refuses a key that the token holds with any one attribute otherwise', () => {
    const loosenable = backingKeyTemplate(name(), suite, softhsm).filter(
      ({ name: attribute }) =>
        !['CKA_CLASS', 'CKA_KEY_TYPE', 'CKA_TOKEN', 'CKA_ID', 'CKA_LABEL'].includes(attribute),
    )
    for (const { name: attribute } of loosenable) {
      const named = name()
      const template = backingKeyTemplate(named, suite, softhsm).map((one) => {
        if (one.name !== attribute) return one
        return attribute === 'CKA_VALUE_LEN' ? { ...one, value: 16 } : flipped(one)
      })
      const handle = session.generateKey(template)
      const id = named.id.toString('hex')
      expect(token.served.objects.proves({ id, suite }), attribute).toBe(false)
      expect(logged.at(-1), attribute).toContain(attribute)
      session.destroyObject(handle)
    }
  })
})

describe('a backing key', () => {
  test('is refused when two objects have its id', () => {
    const { objects } = token.served
    const named = name()
    const id = named.id.toString('hex')
    objects.generate({ id, label: named.label, suite: 1 })
    const double = session.generateKey(backingKeyTemplate(named, 1, softhsm))
    expect(objects.proves({ id, suite: 1 })).toBe(false)
    expect(logged.at(-1)).toContain('2 objects')
    expect(() => objects.destroy(id)).toThrow('2 objects')
    expect(objects.list().map((found) => found.id)).not.toContain(id)
    session.destroyObject(double)
    expect(objects.proves({ id, suite: 1 })).toBe(true)
    expect(() => objects.generate({ id, label: named.label, suite: 1 })).toThrow('exists')
  })

  test('that a crash has left half made is not usable, and is left alone', () => {
    const { objects } = token.served
    const before = new Set(readdirSync(tokenDirectory()))
    const { backingKeyId: id } = token.makeKey()
    const file = readdirSync(tokenDirectory()).find(
      (name) => !before.has(name) && name.endsWith('.object'),
    )
    const path = join(tokenDirectory(), file ?? '')
    const whole = readFileSync(path)
    // SoftHSM reads a file again when its generation has changed.
    const half = Buffer.from(whole.subarray(0, 300))
    half.writeBigUInt64BE(whole.readBigUInt64BE() + 1n)
    writeFileSync(path, half)
    expect(objects.proves({ id, suite: 1 })).toBe(false)
    expect(existsSync(path)).toBe(true)
    expect(objects.list().map((found) => found.id)).not.toContain(id)
    rmSync(path)
  })

  test('is listed with its suite, the canary and what is not ours left out', () => {
    const { objects } = token.served
    const stranger = session.generateKey(
      backingKeyTemplate({ id: randomBytes(16), label: 'somebody else' }, 2, softhsm),
    )
    const one = token.makeKey(1).backingKeyId
    const two = token.makeKey(2).backingKeyId
    const listed = new Map(objects.list().map(({ id, suite }) => [id, suite]))
    expect([listed.get(one), listed.get(two)]).toEqual([1, 2])
    expect(listed.has(objects.canaryId ?? '')).toBe(false)
    expect(objects.list().some(({ label }) => label === 'somebody else')).toBe(false)
    session.destroyObject(stranger)
  })

  test('is destroyed for good, and again without complaint', () => {
    const { objects } = token.served
    const id = token.makeKey().backingKeyId
    const files = readdirSync(tokenDirectory()).length
    objects.destroy(id)
    objects.destroy(id)
    expect(readdirSync(tokenDirectory()).length).toBeLessThan(files)
    expect(objects.proves({ id, suite: 1 })).toBe(false)
    expect(objects.findAgain(id)).toBe(false)
  })

  test('of somebody else is not destroyed, nor is the canary', () => {
    const { objects } = token.served
    const named = { id: randomBytes(16), label: 'somebody else' }
    const handle = session.generateKey(backingKeyTemplate(named, 2, softhsm))
    expect(() => objects.destroy(named.id.toString('hex'))).toThrow('not keyslot')
    expect(() => objects.destroy(objects.canaryId ?? '')).toThrow('canary')
    session.destroyObject(handle)
  })

  test('looks sensitive and never extractable from outside', ({ skip }) => {
    const tool = ['/usr/bin/pkcs11-tool', '/usr/local/bin/pkcs11-tool'].find((path) =>
      existsSync(path),
    )
    if (tool === undefined) {
      skip('pkcs11-tool (OpenSC) is not installed')
      return
    }
    const { modulePath, pinFile = '', tokenLabel, moduleEnvironment } = token.settings
    const pin = readFileSync(pinFile, 'utf8').trim()
    const out = execFileSync(
      tool,
      ['--module', modulePath, '--token-label', tokenLabel, '--login', '--pin', pin, '-O'],
      { env: { ...process.env, ...moduleEnvironment }, encoding: 'utf8', stdio: 'pipe' },
    )
    const ours = out.split('Secret Key Object').filter((text) => text.includes('keyslot'))
    expect(ours.length).toBeGreaterThan(1)
    for (const text of ours) {
      expect(text).toMatch(/Access:\s+sensitive, always sensitive, never extractable, local/)
      expect(text).toMatch(/Usage:\s+(derive|encrypt, decrypt)\s/)
    }
  })
})

describe('an object file', () => {
  test('that ends anywhere too early, or holds other flags, is not a whole key', () => {
    const files = readdirSync(tokenDirectory()).filter(
      (file) => file.endsWith('.object') && file !== 'token.object',
    )
    const whole = files
      .map((file) => readFileSync(join(tokenDirectory(), file)))
      .filter((file) => isWholeKey(file))
    expect(whole.length).toBeGreaterThan(0)
    const file = whole[0] ?? Buffer.alloc(0)
    for (let length = 0; length < file.length; length++) {
      expect(isWholeKey(file.subarray(0, length)), `${length} bytes`).toBe(false)
    }
    const sensitive = parseObject(file)?.get(0x103)
    sensitive?.fill(0)
    expect(isWholeKey(file)).toBe(false)
  })

  test('that a full disk cuts off leaves no key acknowledged', () => {
    const directory = tokenDirectory()
    const before = new Set(readdirSync(directory))
    const cutOff = () => {
      const made = readdirSync(directory).filter((file) => !before.has(file))
      for (const file of made.filter((one) => one.endsWith('.object'))) {
        const path = join(directory, file)
        writeFileSync(path, readFileSync(path).subarray(0, 400))
      }
    }
    // The token says CKR_OK all the same.
    const pkcs11 = bindings(token.settings, (call, result) => {
      const answer = result()
      if (call === 'C_GenerateKey') cutOff()
      return answer
    })
    const slotId = Buffer.from(token.served.workerStart(0).slotId)
    const objects = new TokenObjects(() => TokenSession.open(pkcs11, slotId, softhsm), {
      profile: softhsm,
      proved: () => true,
      serialNumber: token.served.identity.serialNumber,
      derives: true,
      files: softhsm.tokenFiles?.(process.env),
      handleLog: new HandleLogWriter(newHandleLog()),
      log: () => undefined,
    })
    objects.takeStock(token.served.objects.canaryId)
    const id = randomBytes(16).toString('hex')
    expect(() => objects.generate({ id, label: 'keyslot test 1', suite: 1 })).toThrow('disk full')
    expect(objects.list().map((found) => found.id)).not.toContain(id)
    expect(readdirSync(directory).length).toBe(before.size)
  })
})

// Last: after this, SoftHSM is blind in this process.
describe('without the canary', () => {
  test('nothing is said to be absent and nothing is destroyed', () => {
    const { objects } = token.served
    const id = token.makeKey().backingKeyId
    const away = `${token.directory}/tokens-away`
    renameSync(join(token.directory, 'tokens'), away)
    const absent = randomBytes(16).toString('hex')
    expect(() => objects.proves({ id: absent, suite: 1 })).toThrow(CanaryError)
    expect(() => objects.destroy(id)).toThrow(CanaryError)
    expect(() => objects.list()).toThrow(CanaryError)
    expect(() => objects.findAgain(id)).toThrow(CanaryError)
    renameSync(away, join(token.directory, 'tokens'))
    expect(readdirSync(tokenDirectory()).length).toBeGreaterThan(2)
  })
})

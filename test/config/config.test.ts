/** The settings: where they come from, what goes before what, and what is refused. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { ConfigError, loadConfig, loadLocation } from '../../src/config.ts'
import {
  flagOf,
  SETTING_NAMES,
  SETTINGS,
  type Setting,
  settingsTable,
  variableOf,
} from '../../src/settings.ts'

const cwd = mkdtempSync(join(tmpdir(), 'keyslot-config-'))
afterAll(() => rmSync(cwd, { recursive: true, force: true }))

const module = join(cwd, 'module.so')
const none = { flags: {}, environment: { KEYSLOT_HSM_MODULE: module }, cwd }

function file(text: string): string {
  const path = join(cwd, 'etc', 'keyslot.yaml')
  mkdirSync(join(cwd, 'etc'), { recursive: true })
  writeFileSync(path, text)
  return path
}

function problemsOf(sources: Parameters<typeof loadConfig>[0]): string {
  try {
    loadConfig(sources)
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  return ''
}

describe('the table', () => {
  test('has defaults that can be read', () => {
    for (const name of SETTING_NAMES) {
      const { default: standard, absent, parse }: Setting = SETTINGS[name]
      expect(standard ?? absent, name).toBeDefined()
      if (standard !== undefined) expect(() => parse(standard, '/'), name).not.toThrow()
    }
  })

  test('gives every setting a variable and a flag of its own', () => {
    expect(new Set(SETTING_NAMES.map(variableOf)).size).toBe(SETTING_NAMES.length)
    expect(new Set(SETTING_NAMES.map(flagOf)).size).toBe(SETTING_NAMES.length)
    expect(variableOf('maxInFlightPerIdentity')).toBe('KEYSLOT_MAX_IN_FLIGHT_PER_IDENTITY')
    expect(flagOf('hsm.callTimeoutMs')).toBe('--hsm-call-timeout-ms')
  })

  test('is printed with a row for each setting', () => {
    const rows = settingsTable().trim().split('\n')
    expect(rows).toHaveLength(SETTING_NAMES.length + 2)
    expect(rows.every((row) => row.split(/(?<!\\)\|/).length === 7)).toBe(true)
  })
})

describe('defaults', () => {
  test('are those of a service on this machine', () => {
    expect(loadConfig(none)).toEqual({
      home: join(cwd, '.keyslot'),
      development: false,
      place: { region: 'eu-central-1', account: '111122223333' },
      grpcListen: { host: '127.0.0.1', port: 4770 },
      awsListen: { host: '127.0.0.1', port: 4771 },
      awsTls: false,
      statusListen: { host: '127.0.0.1', port: 4772 },
      tls: {
        certificate: join(cwd, '.keyslot/tls/server.pem'),
        key: join(cwd, '.keyslot/tls/server-key.pem'),
        clientCa: join(cwd, '.keyslot/tls/ca.pem'),
      },
      trustDomain: 'keyslot',
      seed: undefined,
      svid: { jwks: undefined, audience: 'keyslot' },
      database: join(cwd, '.keyslot/keyslot.db'),
      audit: join(cwd, '.keyslot/audit/audit.jsonl'),
      hsm: {
        modulePath: module,
        tokenLabel: 'keyslot',
        pinFile: join(cwd, '.keyslot/hsm/pin'),
        withdraw: [],
        fips: false,
        callTimeoutMs: 5000,
        verifyEncryption: true,
        verifyDecryption: false,
      },
      softhsmConf: join(cwd, '.keyslot/hsm/softhsm2.conf'),
      maxInFlight: 256,
      maxInFlightPerIdentity: 64,
      maxConnections: 1024,
      maxConnectionsPerAddress: 256,
      shutdownGraceMs: 10_000,
      jobIntervalMs: 60_000,
      logLevel: 'info',
      warnings: [],
    })
  })

  test('cannot be changed afterwards', () => {
    const config = loadConfig(none)
    expect(Object.isFrozen(config)).toBe(true)
    expect(Object.isFrozen(config.hsm)).toBe(true)
  })
})

test('AWS’s protocol is served over TLS wherever other machines reach it', () => {
  const isTls = (awsListen: string, awsTls = 'auto') =>
    loadConfig({ ...none, flags: { awsListen, awsTls } }).awsTls
  expect(['127.0.0.1:1', '127.9.9.9:1', '[::1]:1', 'localhost:1'].map((at) => isTls(at))).toEqual(
    Array(4).fill(false),
  )
  expect(['0.0.0.0:1', '[::]:1', '10.0.0.1:1', 'kms:1'].map((at) => isTls(at))).toEqual(
    Array(4).fill(true),
  )
  expect(isTls('0.0.0.0:1', 'off')).toBe(false)
  expect(isTls('127.0.0.1:1', 'on')).toBe(true)
})

describe('what goes before what', () => {
  test('flag, environment, file, default', () => {
    const config = file('region: eu-west-1\naccount: 000000000042\nlogLevel: debug\n')
    const environment = { ...none.environment, KEYSLOT_REGION: 'eu-west-2', KEYSLOT_ACCOUNT: '' }
    const flags = { config, region: 'eu-west-3' }
    const all = loadConfig({ flags, environment, cwd })
    // The account keeps the zeros it begins with, and an empty variable is none.
    expect(all.place).toEqual({ region: 'eu-west-3', account: '000000000042' })
    expect(all.logLevel).toBe('debug')
    expect(loadConfig({ flags: { config }, environment, cwd }).place.region).toBe('eu-west-2')
  })

  test('the file is named by KEYSLOT_CONFIG too, and has paths of its own', () => {
    const KEYSLOT_CONFIG = file(
      'database: data/keys.db\nhsm:\n  workers: 4\n  withdraw: [CKM_AES_GCM, CKM_AES_KEY_GEN]\n',
    )
    const environment = { ...none.environment, KEYSLOT_CONFIG, KEYSLOT_AUDIT: 'audit.jsonl' }
    const config = loadConfig({ flags: {}, environment, cwd })
    expect(config.database).toBe(join(cwd, 'etc/data/keys.db'))
    expect(config.audit).toBe(join(cwd, 'audit.jsonl'))
    expect(config.hsm.workers).toBe(4)
    expect(config.hsm.withdraw).toEqual(['CKM_AES_GCM', 'CKM_AES_KEY_GEN'])
  })

  test('SOFTHSM2_CONF goes before the default, and behind what keyslot is told', () => {
    const environment = { ...none.environment, SOFTHSM2_CONF: module }
    writeFileSync(module, '')
    const { hsm } = loadConfig({ flags: {}, environment, cwd })
    expect(hsm.moduleEnvironment).toEqual({ SOFTHSM2_CONF: module })
    const flags = { 'hsm.softhsmConf': 'other.conf' }
    expect(loadConfig({ flags, environment, cwd }).softhsmConf).toBe(join(cwd, 'other.conf'))
  })

  test('in development the configuration of the token is yet to be made', () => {
    const { development, hsm, softhsmConf } = loadConfig({ ...none, flags: { dev: true } })
    expect(development).toBe(true)
    expect(hsm.moduleEnvironment).toEqual({ SOFTHSM2_CONF: softhsmConf })
  })

  test('clients need no module', () => {
    const environment = { KEYSLOT_GRPC_LISTEN: '[::1]:5000', KEYSLOT_HOME: 'there' }
    expect(loadLocation({ flags: {}, environment, cwd })).toEqual({
      home: join(cwd, 'there'),
      grpcListen: { host: '::1', port: 5000 },
      awsListen: { host: '127.0.0.1', port: 4771 },
      awsTls: false,
      region: 'eu-central-1',
    })
  })
})

describe('what is refused', () => {
  test('every problem is named at once, with its source', () => {
    const config = file(
      'region: nowhere\nhsm:\n  workers: many\n  pin: "1234"\ncolour: red\naudit:\n',
    )
    const environment = { ...none.environment, KEYSLOT_ACCOUNT: '12', KEYSLOT_LOG_LEVEL: 'loud' }
    const flags = { config, grpcListen: 'here' }
    const message = problemsOf({ flags, environment, cwd })
    expect(message.split('\n').map((line) => line.trim())).toEqual([
      'These settings are not usable:',
      `${config}:4: hsm.pin is not a setting`,
      `${config}:5: colour is not a setting`,
      `${config}:6: audit has no value that could be read`,
      `${config}:1: region: "nowhere" is not of the form ^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}$`,
      'KEYSLOT_ACCOUNT: "12" is not of the form ^[0-9]{12}$',
      '--grpc-listen: "here" is not an address like 127.0.0.1:4770',
      `${config}:3: hsm.workers: "many" is not a whole number from 1 to 256`,
      'KEYSLOT_LOG_LEVEL: "loud" is not one of debug, info, warn, error',
    ])
  })

  test('a file that is not there, not YAML, or not a mapping', () => {
    const of = (config: string) => problemsOf({ ...none, flags: { config } })
    expect(of('absent.yaml')).toContain(`${join(cwd, 'absent.yaml')} cannot be read: ENOENT`)
    expect(of(file('a: b\n  c: d\n'))).toMatch(/keyslot\.yaml:1: /)
    expect(of(file('region: eu-west-1\nregion: eu-west-2\n'))).toMatch(
      /:2: Map keys must be unique/,
    )
    expect(of(file('- region\n'))).toContain('the file is not a mapping of settings')
    expect(of(file('hsm: softhsm\n'))).toContain(':1: hsm is not a setting')
    expect(of(file(''))).toBe('')
  })

  test('a PIN in the environment, without showing it', () => {
    const environment = { ...none.environment, KEYSLOT_HSM_PIN: '271828' }
    const message = problemsOf({ flags: {}, environment, cwd })
    expect(message).toContain('KEYSLOT_HSM_PIN: a PIN is not taken from the environment')
    expect(message).not.toContain('271828')
  })

  test('two places for one PIN', () => {
    const flags = { 'hsm.pinFd': '3' }
    const { hsm } = loadConfig({ ...none, flags })
    expect(hsm).toMatchObject({ pinFd: 3 })
    expect(hsm.pinFile).toBeUndefined()
    const both = problemsOf({ ...none, flags: { ...flags, 'hsm.pinFile': 'pin' } })
    expect(both).toContain('give one of them')
  })

  test('numbers out of bounds, whatever they look like', () => {
    const text = fc.oneof(fc.string(), fc.integer().map(String), fc.double().map(String))
    const property = fc.property(text, (workers) => {
      const message = problemsOf({ ...none, flags: { 'hsm.workers': workers } })
      const sound = /^[0-9]+$/.test(workers) && Number(workers) >= 1 && Number(workers) <= 256
      expect(message === '').toBe(sound)
    })
    fc.assert(property)
  })
})

test('variables that look like settings are warned of, those of clients are not', () => {
  const environment = {
    ...none.environment,
    KEYSLOT_REGOIN: 'x',
    KEYSLOT_ENDPOINT: 'y',
    OTHER: 'z',
  }
  expect(loadConfig({ flags: {}, environment, cwd }).warnings).toEqual([
    'KEYSLOT_REGOIN is not a setting of keyslot and has no effect',
  ])
})

/**
 * The settings of the service: read once, checked once, frozen. A flag goes before the environment,
 * the environment before the YAML file, the file before the default.
 */

import { existsSync, readFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type YAMLMap } from 'yaml'
import type { Place } from './model/arn.ts'
import { findSoftHsm, softhsmEnvironment } from './pkcs11/profiles/softhsm.ts'
import type { HsmSettings } from './pkcs11/settings.ts'
import {
  type Address,
  flagOf,
  HOME,
  type LogLevel,
  SETTING_NAMES,
  SETTINGS,
  type Setting,
  type SettingName,
  type Settings,
  variableOf,
} from './settings.ts'

/** The settings of the service. Paths are absolute. */
export interface Config {
  readonly home: string
  /** Makes token, certificates and credentials under `home` when they are not there. */
  readonly development: boolean
  readonly place: Place
  readonly grpcListen: Address
  readonly awsListen: Address
  /** Whether AWS's protocol is served over TLS. */
  readonly awsTls: boolean
  readonly statusListen: Address
  /** PEM files. */
  readonly tls: { readonly certificate: string; readonly key: string; readonly clientCa: string }
  /** Of the SPIFFE ids in client certificates. */
  readonly trustDomain: string
  /** By what JWT-SVIDs are verified; a JSON Web Key Set in a file. */
  readonly svid: { readonly jwks?: string; readonly audience: string }
  readonly seed?: string
  readonly database: string
  readonly audit: string
  readonly hsm: HsmSettings
  /** Where SoftHSM's configuration is, or will be once the development token has been made. */
  readonly softhsmConf: string
  readonly maxInFlight: number
  readonly maxInFlightPerIdentity: number
  readonly maxConnections: number
  readonly maxConnectionsPerAddress: number
  readonly shutdownGraceMs: number
  readonly jobIntervalMs: number
  readonly logLevel: LogLevel
  /** What the operator should hear of: variables that look like settings and are none. */
  readonly warnings: readonly string[]
}

/** Settings that cannot be used. The message lists every problem with its source. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|::1|localhost)$/
const FILE_VARIABLE = 'KEYSLOT_CONFIG'
/** Read by clients. */
const OTHER_VARIABLES = [
  FILE_VARIABLE,
  'KEYSLOT_CA',
  'KEYSLOT_CERTIFICATE',
  'KEYSLOT_ENDPOINT',
  'KEYSLOT_PRIVATE_KEY',
  'KEYSLOT_TOKEN_FILE',
  'KEYSLOT_TOKEN_ROLE_ARN',
]

/** Where settings come from. */
export interface Sources {
  /** By the names of settings; `config` is the file and `dev` is development. */
  readonly flags: Readonly<Record<string, string | boolean | undefined>>
  readonly environment: Readonly<Record<string, string | undefined>>
  /** What relative paths in flags and environment are relative to. */
  readonly cwd: string
}

/**
 * Reads and checks the settings.
 *
 * @throws ConfigError with every problem at once.
 */
export function loadConfig(sources: Sources): Config {
  const problems: string[] = []
  const { values, given, warnings } = readSettings(sources, problems)
  const development = sources.flags.dev === true
  if (given.has('hsm.pinFile') && values['hsm.pinFd'] !== undefined) {
    problems.push('hsm.pinFile and hsm.pinFd are two places for one PIN: give one of them')
  }
  const modulePath = values['hsm.module'] ?? findSoftHsm()
  if (modulePath === undefined) {
    problems.push(`no PKCS#11 module was found: name one in ${variableOf('hsm.module')}`)
  }
  if (problems.length > 0 || modulePath === undefined) throw refusal(problems)
  const { home, region, account, trustDomain, database, audit } = values
  return deepFreeze({
    home,
    development,
    place: { region, account },
    grpcListen: values.grpcListen,
    awsListen: values.awsListen,
    awsTls: isAwsTls(values),
    statusListen: values.statusListen,
    tls: {
      certificate: values['tls.certificate'],
      key: values['tls.key'],
      clientCa: values['tls.clientCa'],
    },
    seed: values.seed,
    trustDomain,
    svid: { jwks: values['svid.jwks'], audience: values['svid.audience'] },
    database,
    audit,
    hsm: hsmSettings(values, modulePath, development),
    softhsmConf: values['hsm.softhsmConf'],
    maxInFlight: values.maxInFlight,
    maxInFlightPerIdentity: values.maxInFlightPerIdentity,
    maxConnections: values.maxConnections,
    maxConnectionsPerAddress: values.maxConnectionsPerAddress,
    shutdownGraceMs: values.shutdownGraceMs,
    jobIntervalMs: values.jobIntervalMs,
    logLevel: values.logLevel,
    warnings,
  })
}

/**
 * Reads only what clients need to know of a service on the same machine.
 *
 * @throws ConfigError with every problem at once.
 */
export function loadLocation(
  sources: Sources,
): Pick<Config, 'home' | 'grpcListen' | 'awsListen' | 'awsTls'> & { readonly region: string } {
  const problems: string[] = []
  const { values } = readSettings(sources, problems)
  if (problems.length > 0) throw refusal(problems)
  const { home, grpcListen, awsListen, region } = values
  return { home, grpcListen, awsListen, awsTls: isAwsTls(values), region }
}

/** Plaintexts and data keys leave a machine only over TLS, unless somebody has said otherwise. */
function isAwsTls({ awsTls, awsListen: { host } }: Settings): boolean {
  return awsTls === 'auto' ? !LOOPBACK.test(host) : awsTls === 'on'
}

function hsmSettings(values: Settings, modulePath: string, development: boolean): HsmSettings {
  const profile = values['hsm.profile']
  const pinFd = values['hsm.pinFd']
  const conf = values['hsm.softhsmConf']
  return {
    modulePath,
    tokenLabel: values['hsm.tokenLabel'],
    ...(pinFd === undefined ? { pinFile: values['hsm.pinFile'] } : { pinFd }),
    profile: profile === 'auto' ? undefined : profile,
    workers: values['hsm.workers'],
    withdraw: values['hsm.withdraw'],
    fips: values['hsm.fips'],
    callTimeoutMs: values['hsm.callTimeoutMs'],
    verifyEncryption: values['hsm.verifyEncryption'],
    verifyDecryption: values['hsm.verifyDecryption'],
    libraryParameters: values['hsm.libraryParameters'],
    // In development the file is made before the token is opened.
    moduleEnvironment: development || existsSync(conf) ? softhsmEnvironment(conf) : undefined,
  }
}

/** A value as somebody wrote it. */
interface Given {
  readonly text: string
  /** Who wrote it, as a message names it. */
  readonly source: string
  /** What relative paths are relative to. */
  readonly directory: string
}

interface Reading {
  readonly values: Settings
  /** The settings that somebody gave. */
  readonly given: ReadonlySet<SettingName>
  readonly warnings: readonly string[]
}

function readSettings({ flags, environment, cwd }: Sources, problems: string[]): Reading {
  const fileName = flags.config || environment[FILE_VARIABLE]
  const file =
    typeof fileName === 'string' && fileName !== ''
      ? readFile(resolve(cwd, fileName), problems)
      : new Map<string, Given>()
  const find = (name: SettingName): Given | undefined => {
    const flagged = flags[name]
    const variable = variableOf(name)
    const inEnvironment = environment[variable]
    if (flagged !== undefined) return { text: `${flagged}`, source: flagOf(name), directory: cwd }
    // An empty variable is how shells and container files leave one out.
    if (inEnvironment) return { text: inEnvironment, source: variable, directory: cwd }
    return file.get(name)
  }
  const given = new Set(SETTING_NAMES.filter((name) => find(name) !== undefined))
  const values: Partial<Record<SettingName, unknown>> = {}
  for (const name of SETTING_NAMES) {
    const setting: Setting = SETTINGS[name]
    const { SOFTHSM2_CONF } = environment
    const standard =
      name === 'hsm.softhsmConf' && SOFTHSM2_CONF ? resolve(cwd, SOFTHSM2_CONF) : setting.default
    const { text, source, directory } = find(name) ?? {
      text: standard?.replace(HOME, () => String(values.home)),
      source: 'the default',
      directory: cwd,
    }
    if (text === undefined) continue
    try {
      values[name] = setting.parse(text, directory)
    } catch (error) {
      problems.push(`${source}: ${JSON.stringify(text)} is not ${(error as Error).message}`)
    }
  }
  if (environment.KEYSLOT_HSM_PIN !== undefined) {
    problems.push(
      `KEYSLOT_HSM_PIN: a PIN is not taken from the environment: use ${variableOf('hsm.pinFile')}`,
    )
  }
  return { values: values as Settings, given, warnings: warningsFor(environment) }
}

function warningsFor(environment: Sources['environment']): readonly string[] {
  const known = new Set([...OTHER_VARIABLES, ...SETTING_NAMES.map(variableOf)])
  return Object.keys(environment)
    .filter((name) => name.startsWith('KEYSLOT_') && !known.has(name))
    .map((name) => `${name} is not a setting of keyslot and has no effect`)
}

function readFile(path: string, problems: string[]): ReadonlyMap<string, Given> {
  const found = new Map<string, Given>()
  let source: string
  try {
    source = readFileSync(path, 'utf8')
  } catch (error) {
    problems.push(`${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`)
    return found
  }
  const lines = new LineCounter()
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false })
  const shownPath = relative('', path).startsWith('..') ? path : relative('', path)
  const at = (offset: number) => `${shownPath}:${lines.linePos(offset).line}`
  for (const { message, pos } of document.errors) problems.push(`${at(pos[0])}: ${message}`)
  if (document.errors.length > 0 || document.contents === null) return found
  if (!isMap(document.contents)) {
    problems.push(`${at(0)}: the file is not a mapping of settings`)
    return found
  }
  const take = (map: YAMLMap, prefix: string): void => {
    for (const { key, value } of map.items) {
      const name = prefix + String(key)
      const source = `${at((isScalar(key) && key.range?.[0]) || 0)}: ${name}`
      if (isMap(value) && SETTING_NAMES.some((known) => known.startsWith(`${name}.`))) {
        take(value, `${name}.`)
        continue
      }
      const text = textOf(value)
      if (!(name in SETTINGS)) problems.push(`${source} is not a setting`)
      else if (text === undefined) problems.push(`${source} has no value that could be read`)
      else found.set(name, { text, source, directory: dirname(path) })
    }
  }
  take(document.contents, '')
  return found
}

/** A value of the file as it stands there: a number would lose the zeros that it begins with. */
function textOf(value: unknown): string | undefined {
  if (isSeq(value)) return value.items.map((item) => textOf(item) ?? '').join(',')
  if (!isScalar(value) || value.value === null) return undefined
  return value.source ?? String(value.value)
}

function refusal(problems: readonly string[]): ConfigError {
  const these = problems.length === 1 ? 'This setting is' : 'These settings are'
  return new ConfigError(`${these} not usable:\n${problems.map((each) => `  ${each}`).join('\n')}`)
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner)
  }
  return Object.freeze(value)
}

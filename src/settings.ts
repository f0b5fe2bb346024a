/**
 * The table of settings, from which follow how they are read (`config.ts`), the help of
 * `keyslot serve` and the README.
 */

import { resolve } from 'node:path'
import { PROFILES, type ProfileName } from './pkcs11/profiles/choose.ts'

/** Where to listen. Port 0 is any that is free. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** How much is logged. */
export type LogLevel = (typeof LOG_LEVELS)[number]

/** A row of the table of settings. */
export interface Setting<T = unknown> {
  /** What people write for a value, such as `host:port`. */
  readonly value: string
  /** As an operator would write it; `<home>` stands for the home directory. */
  readonly default?: string
  /** What happens without a value, where there is no default. */
  readonly absent?: string
  readonly doc: string
  /**
   * Reads a value.
   *
   * @param directory what relative paths are relative to.
   * @throws Error whose message goes on after "… is not".
   */
  readonly parse: (text: string, directory: string) => T
}

const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
/** Stands for the home directory in defaults. */
export const HOME = '<home>'

const REGION = /^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}$/
const ACCOUNT = /^[0-9]{12}$/
const TRUST_DOMAIN = /^[a-z0-9._-]{1,255}$/
const AUDIENCE = /^[!-~]{1,255}$/
const TOKEN_LABEL = /^[^\0]{1,32}$/u
const MECHANISM = /^CKM_[A-Z0-9_]+$/

/**
 * The settings. A name `hsm.tokenLabel` is `hsm: {tokenLabel: …}` in the file,
 * `KEYSLOT_HSM_TOKEN_LABEL` in the environment and `--hsm-token-label` as a flag.
 */
export const SETTINGS = {
  home: path('./.keyslot', 'Where the service keeps its state.'),
  region: text('region', 'eu-central-1', REGION, 'The Region, in ARNs.'),
  account: text('account', '111122223333', ACCOUNT, 'The account, twelve digits, in ARNs.'),
  grpcListen: address('127.0.0.1:4770', 'Where gRPC is served, over TLS.'),
  awsListen: address(
    '127.0.0.1:4771',
    "Where AWS's protocol is served, for its CLIs and SDKs; may be where gRPC is.",
  ),
  awsTls: choice(
    ['auto', 'on', 'off'],
    'auto',
    "Whether AWS's protocol is served over TLS; `auto`: unless on a loopback address.",
  ),
  statusListen: address('127.0.0.1:4772', 'Where health and metrics are served, over HTTP.'),
  'tls.certificate': path(`${HOME}/tls/server.pem`, "The server's certificate and its chain."),
  'tls.key': path(`${HOME}/tls/server-key.pem`, "The server's private key."),
  'tls.clientCa': path(`${HOME}/tls/ca.pem`, 'The authorities that client certificates come from.'),
  trustDomain: text('name', 'keyslot', TRUST_DOMAIN, 'Trust domain of the SPIFFE ids of clients.'),
  'svid.jwks': optional(
    path('', 'The keys that JWT-SVIDs of the trust domain are signed with: a JSON Web Key Set.'),
    'no JWT-SVIDs are taken',
  ),
  'svid.audience': text('name', 'keyslot', AUDIENCE, 'The audience that JWT-SVIDs are for.'),
  seed: optional(
    path('', 'A YAML file of accounts, principals and keys that are to be there at every start.'),
    'none',
  ),
  database: path(`${HOME}/keyslot.db`, 'The database of key metadata.'),
  audit: path(`${HOME}/audit/audit.jsonl`, 'The audit log.'),
  'hsm.module': optional(
    path('', 'The PKCS#11 module, a shared library.'),
    'the module of the development token, if it is installed',
  ),
  'hsm.tokenLabel': text('label', 'keyslot', TOKEN_LABEL, 'The label of the token.'),
  'hsm.pinFile': path(`${HOME}/hsm/pin`, 'A file of mode 0400 or 0600 that holds the user PIN.'),
  'hsm.pinFd': optional(
    integer('', 0, 65_535, 'An inherited file descriptor to read the user PIN from.'),
    'the file is read',
  ),
  'hsm.profile': choice<ProfileName | 'auto'>(
    ['auto', ...(Object.keys(PROFILES) as ProfileName[])],
    'auto',
    'What is particular to the module; `auto` asks the module itself.',
  ),
  'hsm.workers': optional(
    integer(
      '',
      1,
      256,
      'Threads that call the module, each with a session; a software token has one more.',
    ),
    "the profile's",
  ),
  'hsm.withdraw': list(MECHANISM, 'Mechanisms not to use although the token has them.'),
  'hsm.fips': flag(
    false,
    "Whether every step on a secret has to be the token's own; what it cannot do is refused.",
  ),
  'hsm.callTimeoutMs': integer('5000', 10, 600_000, 'How long the token may take over one call.'),
  'hsm.verifyEncryption': flag(true, 'Whether each encryption is decrypted again as a check.'),
  'hsm.verifyDecryption': flag(
    false,
    'Whether each decryption is made twice and compared, for a token that may flip a bit.',
  ),
  'hsm.libraryParameters': optional(
    text('string', '', /^[^\0]+$/, 'What C_Initialize hands to modules that want a string.'),
    'none',
  ),
  'hsm.softhsmConf': path(
    `${HOME}/hsm/softhsm2.conf`,
    "SoftHSM's configuration, used when it is there; SOFTHSM2_CONF goes before the default.",
  ),
  maxInFlight: integer(
    '256',
    1,
    100_000,
    'Calls that are worked on at once, of one account three quarters of them; more are refused.',
  ),
  maxInFlightPerIdentity: integer('64', 1, 100_000, 'The same for one caller.'),
  maxConnections: integer('1024', 1, 65_535, 'Connections at each door; more are closed.'),
  maxConnectionsPerAddress: integer(
    '256',
    1,
    65_535,
    'The same for one address that they come from, or one /64 of IPv6.',
  ),
  shutdownGraceMs: integer('10000', 0, 600_000, 'How long calls may take to end at shutdown.'),
  jobIntervalMs: integer(
    '60000',
    1_000,
    86_400_000,
    'How often jobs look for what is due, or was cut off.',
  ),
  logLevel: choice<LogLevel>([...LOG_LEVELS], 'info', 'How much is logged.'),
} as const satisfies Record<string, Setting>

/** The name of a setting. */
export type SettingName = keyof typeof SETTINGS

/** The names, in the order of the table. */
export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[]

/** A value for each setting. */
export type Settings = {
  readonly [N in SettingName]: ReturnType<(typeof SETTINGS)[N]['parse']>
}

/** The variable of a setting: `KEYSLOT_HSM_TOKEN_LABEL`. */
export function variableOf(name: SettingName): string {
  return `KEYSLOT_${words(name).join('_').toUpperCase()}`
}

/** The flag of a setting: `--hsm-token-label`. */
export function flagOf(name: SettingName): string {
  return `--${words(name).join('-')}`
}

/** The settings as a table in Markdown, for the README. */
export function settingsTable(): string {
  const rows = SETTING_NAMES.map((name) => {
    const { absent, doc, default: standard }: Setting = SETTINGS[name]
    const without = standard ? `\`${standard}\`` : (absent ?? '')
    return `| \`${name}\` | \`${variableOf(name)}\` | \`${flagOf(name)}\` | ${without} | ${doc} |`
  })
  const head = ['| in the file | environment | flag | default | meaning |', '|---|---|---|---|---|']
  return `${[...head, ...rows].join('\n')}\n`
}

function words(name: string): string[] {
  return name.replace(/[A-Z]/g, (capital) => `.${capital.toLowerCase()}`).split('.')
}

function optional<T>(setting: Setting<T>, absent: string): Setting<T | undefined> {
  return { ...setting, default: undefined, absent }
}

function path(standard: string, doc: string): Setting<string> {
  const parse = (given: string, directory: string): string => {
    if (given === '' || given.includes('\0')) throw new Error('a path')
    return resolve(directory, given)
  }
  return { value: 'path', default: standard, doc, parse }
}

function text(value: string, standard: string, pattern: RegExp, doc: string): Setting<string> {
  const parse = (given: string): string => {
    if (!pattern.test(given)) throw new Error(`of the form ${pattern.source}`)
    return given
  }
  return { value, default: standard, doc, parse }
}

function address(standard: string, doc: string): Setting<Address> {
  const parse = (given: string): Address => {
    const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]*)):([0-9]{1,5})$/.exec(given) ?? []
    const host = bracketed ?? plain
    if (!host || Number(port) > 65_535) throw new Error('an address like 127.0.0.1:4770')
    return { host, port: Number(port) }
  }
  return { value: 'host:port', default: standard, doc, parse }
}

function integer(standard: string, min: number, max: number, doc: string): Setting<number> {
  const parse = (given: string): number => {
    const number = Number(given)
    if (!/^[0-9]+$/.test(given) || number < min || number > max) {
      throw new Error(`a whole number from ${min} to ${max}`)
    }
    return number
  }
  return { value: 'number', default: standard, doc, parse }
}

function flag(standard: boolean, doc: string): Setting<boolean> {
  const parse = (given: string): boolean => {
    if (given !== 'true' && given !== 'false') throw new Error('true or false')
    return given === 'true'
  }
  return { value: 'true|false', default: String(standard), doc, parse }
}

function choice<T extends string>(choices: T[], standard: T, doc: string): Setting<T> {
  const parse = (given: string): T => {
    const chosen = choices.find((each) => each === given)
    if (chosen === undefined) throw new Error(`one of ${choices.join(', ')}`)
    return chosen
  }
  return { value: choices.join('|'), default: standard, doc, parse }
}

function list(pattern: RegExp, doc: string): Setting<readonly string[]> {
  const parse = (given: string): readonly string[] => {
    const items = given.split(',').map((item) => item.trim())
    if (given === '') return []
    if (!items.every((item) => pattern.test(item))) {
      throw new Error(`a list of names that match ${pattern.source}, with commas between them`)
    }
    return items
  }
  return { value: 'names', default: '', absent: 'none', doc, parse }
}

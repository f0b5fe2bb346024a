/** `keyslot serve`: runs the service until it is told to stop. */

import { once } from 'node:events'
import { type Command, Option } from 'commander'
import { type Config, ConfigError, loadConfig } from '../config.ts'
import type { RunningService } from '../main.ts'
import {
  flagOf,
  HOME,
  SETTING_NAMES,
  SETTINGS,
  type Setting,
  type SettingName,
} from '../settings.ts'
import { locate, reachable } from './connection.ts'
import { shellQuoted } from './env.ts'
import { CliError, EXIT } from './exit.ts'
import { print } from './streams.ts'

/** An option for each setting, and the file that holds settings. */
export function settingOptions(): Option[] {
  return [
    new Option('--config <path>', 'A YAML file with settings (environment: KEYSLOT_CONFIG).'),
    ...SETTING_NAMES.map((name) => {
      const { value, doc, default: standard, absent }: Setting = SETTINGS[name]
      const without = standard || absent
      return new Option(`${flagOf(name)} <${value}>`, `${doc} (default: ${without})`)
    }),
  ]
}

/** Adds the command. */
export function addServe(program: Command): void {
  const command = program
    .command('serve')
    .description('Runs the service. SIGINT and SIGTERM stop it gracefully, a second one at once.')
    .option('--dev', `Development: makes token, certificates and credentials under ${HOME}.`)
    .addHelpText('after', SOURCES_HELP)
  for (const option of settingOptions()) command.addOption(option)
  command.action(async (flags: Record<string, string | boolean>) => {
    const config = configFrom(program, flags)
    const told = toldToStop()
    const service = await start(config, told)
    if (service === undefined) return
    if (config.development && !told.aborted) await print(welcome(config, service))
    if (!told.aborted) await once(told, 'abort')
    await service.stop()
  })
}

/** Starts the service, unless it is told to stop while it waits for the HSM. */
async function start(config: Config, told: AbortSignal): Promise<RunningService | undefined> {
  // Loaded late: no other command needs the service.
  const { serve } = await import('../main.ts')
  try {
    return await serve(config, { signal: told })
  } catch (error) {
    if (told.aborted && error === told.reason) return undefined
    if (config.logLevel === 'debug') throw error
    throw new CliError(EXIT.general, `cannot start: ${(error as Error).message}`, { cause: error })
  }
}

/** What to do next, for somebody who has just typed `npm start`. */
function welcome(
  { home, place, grpcListen, awsListen }: Config,
  { grpcAddress, awsEndpoint, statusAddress, development }: RunningService,
): string {
  // The other terminal has none of this one's variables.
  const found = locate({}, {})
  // By the names that the certificate is for.
  const endpoint = reachable({ host: grpcListen.host, port: portOf(grpcAddress) })
  const [scheme] = awsEndpoint.split('/', 1)
  const aws = `${scheme}//${reachable({ host: awsListen.host, port: portOf(awsEndpoint) })}`
  const elsewhere = [
    ...(found.home === home ? [] : ['--home', shellQuoted(home)]),
    ...(found.endpoint === endpoint ? [] : ['--endpoint', shellQuoted(endpoint)]),
    ...(found.aws.endpoint === aws ? [] : ['--aws-endpoint', shellQuoted(aws)]),
  ]
  const made = development?.tokenMade ? 'made now' : 'found again'
  return `
keyslot serves. Development mode: not for production.

  gRPC      ${grpcAddress} (TLS, client certificates)
  AWS       ${awsEndpoint} (AWS CLIs and SDKs)
  status    http://${statusAddress}/readyz, /healthz, /metrics
  account   ${place.account}
  Region    ${place.region}
  state     ${home} (token and certificates ${made})

A first encrypt, in another terminal and the same folder:

  eval "$(${['npx keyslot env', ...elsewhere].join(' ')})"
  printf 'attack at dawn' | npx keyslot encrypt --key-id alias/dev --plaintext fileb:///dev/stdin --output text --query CiphertextBlob | base64 --decode > plan.enc
  npx keyslot decrypt --ciphertext-blob fileb://plan.enc --output text --query Plaintext | base64 --decode

Ctrl-C ends it; the next start finds everything again.

`
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1))
}

const SOURCES_HELP = `
A flag goes before the environment (--hsm-token-label: KEYSLOT_HSM_TOKEN_LABEL), the environment
before the file (hsm: {tokenLabel: …}), the file before the default. ${HOME} is the value of --home.`

/**
 * The settings as the flags of a command, those of the program included, give them.
 *
 * @throws CliError for settings that are not usable.
 */
export function configFrom(program: Command, flags: Record<string, string | boolean>): Config {
  // commander's `hsmTokenLabel` is our `hsm.tokenLabel`.
  const names = new Map<string, SettingName>(
    SETTING_NAMES.map((name) => [new Option(flagOf(name)).attributeName(), name]),
  )
  const given = Object.entries({ ...program.opts(), ...flags })
  const named = given.map(([attribute, value]) => [names.get(attribute) ?? attribute, value])
  try {
    return loadConfig({
      flags: Object.fromEntries(named),
      environment: process.env,
      cwd: process.cwd(),
    })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new CliError(EXIT.configuration, error.message, { cause: error })
  }
}

/** One Ctrl-C comes twice under npm: from the terminal, and passed on by npm. */
const ECHO_MS = 500

/** Aborted by SIGINT or SIGTERM; a second one, later, ends the process at once. */
function toldToStop(): AbortSignal {
  const told = new AbortController()
  let toldMs: number | undefined
  const onSignal = (code: number) => () => {
    toldMs ??= performance.now()
    if (performance.now() - toldMs > ECHO_MS) process.exit(code)
    told.abort()
  }
  process.on('SIGINT', onSignal(130))
  process.on('SIGTERM', onSignal(143))
  return told.signal
}

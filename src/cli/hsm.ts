/** `keyslot hsm`: what the token is and can do, and the objects in it that nothing explains. */

import { type Command, Option } from 'commander'
import type { AttackReport } from '../pkcs11/attacks/report.ts'
import type { HsmReport } from '../pkcs11/settings.ts'
import { CliError, EXIT } from './exit.ts'
import { configFrom, settingOptions } from './serve.ts'
import { print } from './streams.ts'

/** Adds the command. */
export function addHsm(program: Command): void {
  const hsm = program.command('hsm').description('Looks after the token.')
  addInit(program, hsm)
  addCheck(program, hsm)
  addQuarantine(program, hsm)
  addRelease(program, hsm)
}

function addInit(program: Command, hsm: Command): void {
  const command = hsm
    .command('init')
    .description(
      'Makes what `serve --dev` makes before it serves: a SoftHSM token with PINs of its own, ' +
        'certificates and credentials, under --home. What is there already is left alone.',
    )
  for (const option of settingOptions()) command.addOption(option)
  command.action(async (flags: Record<string, string>) => {
    const config = configFrom(program, { ...program.opts(), ...flags })
    const { tokenMade } = await madeBy(config)
    const made = tokenMade ? 'made now' : 'found again'
    await print(`${config.home}: token ${config.hsm.tokenLabel} ${made}\n`)
  })
}

function addQuarantine(program: Command, hsm: Command): void {
  const command = hsm
    .command('quarantine')
    .description(
      'Lists the objects of the token that no row of the store explains, as after an old copy of ' +
        'the database has been restored. They are left alone, and no key is destroyed meanwhile.',
    )
  for (const option of settingOptions()) command.addOption(option)
  command.action(async (flags: Record<string, string>) => {
    const { quarantined } = await import('../main.ts')
    const objects = await quarantined(configFrom(program, { ...program.opts(), ...flags }))
    const rows = objects.map(({ backingKeyId, foundMs, reason }) => [
      backingKeyId,
      new Date(foundMs).toISOString(),
      reason,
    ])
    await print(`${columns([['backing key', 'found', 'reason'], ...rows])}\n`)
  })
}

function addRelease(program: Command, hsm: Command): void {
  const command = hsm
    .command('release <backing-key...>')
    .description(
      'Takes objects out of quarantine for good, once you know what they are: they stay in the ' +
        'token and are never used. Keys that wait for their destruction are destroyed after this.',
    )
  for (const option of settingOptions()) command.addOption(option)
  command.action(async (ids: string[], flags: Record<string, string>) => {
    const { quarantined, release } = await import('../main.ts')
    const config = configFrom(program, { ...program.opts(), ...flags })
    const known = new Set((await quarantined(config)).map(({ backingKeyId }) => backingKeyId))
    const unknown = ids.filter((id) => !known.has(id))
    if (unknown.length > 0) {
      throw new CliError(EXIT.usage, `not in quarantine: ${unknown.join(', ')}`)
    }
    await release(config, ids)
  })
}

function addCheck(program: Command, hsm: Command): void {
  const command = hsm
    .command('check')
    .description(
      'Opens the token in a process of its own, as the service does, proves what keyslot uses of ' +
        'it, and says what it found. The service may be running meanwhile. Exit code 1 when the ' +
        'token cannot serve, or an attack succeeds.',
    )
    .option(
      '--attacks',
      'Also makes a key of every kind, attacks it as one could who is logged in, and destroys it; ' +
        'takes as long as the token takes to make the keys.',
    )
    .addOption(
      new Option('--output <format>', 'How to print; table unless given.').choices([
        'table',
        'json',
      ]),
    )
  for (const option of settingOptions()) command.addOption(option)
  command.action(async (flags: Record<string, string>) => {
    const { output = 'table', attacks: isAttacked, ...settings } = { ...program.opts(), ...flags }
    const config = configFrom(program, settings)
    const report = await reportOf(config)
    const attacks = isAttacked ? await attacksOf(config) : undefined
    const tables = [reportTable(report), ...(attacks === undefined ? [] : [attackTable(attacks)])]
    await print(
      output === 'json'
        ? `${JSON.stringify({ ...report, attacks }, null, 4)}\n`
        : `${tables.join('\n\n')}\n`,
    )
    const successes = attacks?.successes.length ?? 0
    if (successes > 0) throw new CliError(EXIT.checkFailed, `${successes} attacks succeeded`)
  })
}

/** A report as people read it. */
export function reportTable({ identity, limits, capabilities, ...rest }: HsmReport): string {
  const facts: [string, string | number | undefined][] = [
    ['Token', identity.tokenLabel],
    ['Serial number', identity.serialNumber],
    ['Model', `${identity.tokenManufacturer}, ${identity.tokenModel}`],
    ['Hardware, firmware', `${identity.hardwareVersion}, ${identity.firmwareVersion}`],
    ['Library', `${identity.libraryManufacturer}, ${identity.libraryDescription}`],
    ['Library, Cryptoki', `${identity.libraryVersion}, ${identity.cryptokiVersion}`],
    ['Profile', identity.profile],
    ['Sessions at most', limits.sessionsMax ?? 'not said'],
    ['Workers', rest.workers],
    ['Backing keys', rest.backingKeys],
    ['Canary', rest.canary ?? 'not asked for'],
  ]
  const rows = capabilities.map(({ name, use, offered, proved, withdrawn }) => [
    name,
    use,
    offered ? 'yes' : 'no',
    proved ? 'yes' : 'no',
    withdrawn === undefined ? 'yes' : `no: ${withdrawn}`,
  ])
  return [
    columns(facts.map(([name, value]) => [name, `${value ?? ''}`])),
    columns([['capability', 'needed for', 'offered', 'proved', 'used'], ...rows]),
  ].join('\n\n')
}

/** What attacks came to, as people read it. */
export function attackTable({ keys, notMade, rows, successes }: AttackReport): string {
  const resultOf = ({ attack, tries, unbound }: AttackReport['rows'][number]) => {
    const succeeded = successes.filter((success) => success.attack === attack).length
    if (tries === 0) return 'not offered'
    const result = succeeded === 0 ? 'refused' : `SUCCEEDED ${succeeded} times`
    return unbound === 0 ? result : `${result}; its own use by other mechanisms ${unbound} times`
  }
  const attacks = rows.map((row) => [row.attack, `${row.tries}`, resultOf(row)])
  const ways = Map.groupBy(successes, ({ attack, key, gain }) => `${attack}\n${key}\n${gain}`)
  const succeeded = [...ways.values()].flatMap(([first, ...others]) => {
    if (first === undefined) return []
    const more = others.length === 0 ? '' : ` and ${others.length} more`
    return [[first.key, first.gain, `${first.how}${more}`]]
  })
  const sums = GAINS.map(([gain, name]) => {
    const count = successes.filter((success) => success.gain === gain).length
    return `${count} ${name}`
  })
  const tables = [
    [[`attack on ${keys.length} keys`, 'tries', 'result'], ...attacks],
    [['not made', 'why'], ...notMade.map(({ key, why }) => [key, why])],
    [['succeeded on', 'gain', 'by'], ...succeeded],
  ]
  const filled = tables.filter((table) => table.length > 1)
  return [...filled.map(columns), `${sums.join(', ')}.`].join('\n\n')
}

const GAINS = [
  ['key out', 'keys out'],
  ['attribute loosened', 'attributes loosened'],
  ['usage added', 'usages added'],
] as const

async function attacksOf(config: Parameters<typeof import('../main.ts').hsmAttack>[0]) {
  const { hsmAttack } = await import('../main.ts')
  try {
    return await hsmAttack(config)
  } catch (error) {
    const { message } = error as Error
    throw new CliError(EXIT.checkFailed, `the attacks could not be made: ${message}`, {
      cause: error,
    })
  }
}

async function madeBy(config: Parameters<typeof import('../main.ts').hsmInit>[0]) {
  const { hsmInit } = await import('../main.ts')
  try {
    return await hsmInit(config)
  } catch (error) {
    throw new CliError(EXIT.general, (error as Error).message, { cause: error })
  }
}

async function reportOf(config: Parameters<typeof import('../main.ts').hsmCheck>[0]) {
  // Loaded late: no operation needs the HSM's side of the service.
  const { hsmCheck } = await import('../main.ts')
  try {
    return await hsmCheck(config)
  } catch (error) {
    const { message } = error as Error
    throw new CliError(EXIT.checkFailed, `the token cannot serve: ${message}`, { cause: error })
  }
}

function columns(rows: readonly (readonly string[])[]): string {
  const [first = []] = rows
  const widths = first.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

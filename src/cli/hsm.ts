/** `keyslot hsm check`: what the token is, what it can do of what keyslot uses, what was proved. */

import { type Command, Option } from 'commander'
import type { HsmReport } from '../pkcs11/settings.ts'
import { CliError, EXIT } from './exit.ts'
import { configFrom, settingOptions } from './serve.ts'
import { print } from './streams.ts'

/** Adds the command. */
export function addHsm(program: Command): void {
  const command = program
    .command('hsm')
    .description('Looks after the token: hsm check.')
    .command('check')
    .description(
      'Opens the token in a process of its own, as the service does, proves what keyslot uses of ' +
        'it, and says what it found. The service may be running meanwhile. Exit code 1 when the ' +
        'token cannot serve.',
    )
    .addOption(
      new Option('--output <format>', 'How to print; table unless given.').choices([
        'table',
        'json',
      ]),
    )
  for (const option of settingOptions()) command.addOption(option)
  command.action(async (flags: Record<string, string>) => {
    const { output = 'table', ...settings } = { ...program.opts(), ...flags }
    const config = configFrom(program, settings)
    const report = await reportOf(config)
    await print(
      output === 'json' ? `${JSON.stringify(report, null, 4)}\n` : `${reportTable(report)}\n`,
    )
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

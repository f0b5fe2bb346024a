/** The tree of commands, and how it ends. */

import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { addCompletion } from './completion.ts'
import { environmentLines } from './env.ts'
import { CliError, EXIT, EXIT_CODES_HELP } from './exit.ts'
import { addHsm } from './hsm.ts'
import { addOperations, addPolicy, globalOptions, locationOptions } from './rpc/commands.ts'
import { VALUES_HELP } from './rpc/help.ts'
import { addServe } from './serve.ts'
import { endWithReader, print } from './streams.ts'

/** The whole tree of commands. */
export function program(): Command {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const root = new Command('keyslot')
    .description("A key management service with AWS KMS's model whose keys live in your own HSM.")
    .version(JSON.parse(manifest).version, '-V, --version', 'Prints the version.')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(`keyslot: ${text}`) })
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .helpCommand(false)
    .helpOption('-h, --help', 'Shows this help.')
    .addHelpText('after', `\n${VALUES_HELP}\n\n${EXIT_CODES_HELP}`)
  for (const option of globalOptions()) root.addOption(option)
  root.commandsGroup('The service:')
  addServe(root)
  addEnv(root)
  addHsm(root)
  addPolicy(root)
  addCompletion(root)
  root.commandsGroup('Operations, as in `aws kms`:')
  addOperations(root)
  return root
}

function addEnv(root: Command): void {
  const command = root
    .command('env')
    .description('Prints the variables by which clients find the service.')
    .addHelpText('after', '\nExample:\n  eval "$(npx keyslot env)"')
  for (const option of locationOptions()) command.addOption(option)
  command.option('--aws-endpoint <url>', "Where AWS's protocol is served.")
  command.action((own: object) => {
    return print(environmentLines({ ...root.opts(), ...own }, process.env))
  })
}

/** Runs the command; what went wrong is one message on stderr and an exit code. */
export async function main(): Promise<void> {
  endWithReader()
  try {
    await program().parseAsync()
  } catch (error) {
    process.exitCode = report(error)
  }
}

function report(error: unknown): number {
  if (error instanceof CommanderError) {
    // commander has printed it; 0 stands for help and version.
    return error.exitCode === 0 ? EXIT.done : EXIT.usage
  }
  if (error instanceof CliError) {
    process.stderr.write(`keyslot: ${error.message}\n`)
    return error.exitCode
  }
  // A fault of ours: whoever reports it needs the whole of it.
  console.error('keyslot: unexpected error:', error)
  return EXIT.general
}

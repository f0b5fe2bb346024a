/** A command for every operation of the contract, with an option for every member. */

import { type Command, InvalidArgumentError, Option } from 'commander'
import { CONTRACT, type FieldContract, type RpcContract } from '../../contract/contract.ts'
import { example, fieldHelp, placeholder } from './help.ts'
import { OUTPUT_FORMATS } from './output.ts'
import { itemsField } from './pages.ts'
import { kebabCase } from './parameters.ts'
import { type OptionValue, runOperation } from './run.ts'

const DEFAULTS = { output: 'json', cliBinaryFormat: 'base64', paginate: true } as const

/** The options by which every command finds the service. */
export function locationOptions(): Option[] {
  return [
    new Option('--home <path>', "The service's home, where its first credentials are."),
    new Option('--config <path>', "The service's configuration file."),
    new Option('--endpoint <host:port>', 'Where the service is.'),
    new Option('--ca <path>', "The authority of the service's certificate, PEM."),
    new Option('--certificate <path>', 'The certificate that names the caller, PEM.'),
    new Option('--private-key <path>', 'Its private key, PEM.'),
    new Option('--token-file <path>', 'A JSON Web Token to show instead of a certificate.'),
    new Option('--token-role-arn <arn>', "The role to call as; the issuer's default unless given."),
  ]
}

/** The options that every operation has, before or after the name of the command. */
export function globalOptions(): Option[] {
  const { output, cliBinaryFormat } = DEFAULTS
  return [
    new Option('--output <format>', `How to print; ${output} unless given.`).choices(
      OUTPUT_FORMATS,
    ),
    new Option('--query <jmespath>', 'Prints only this part of the answer.'),
    new Option(
      '--cli-binary-format <format>',
      `How blobs are written; ${cliBinaryFormat} unless given.`,
    ).choices(['base64', 'raw-in-base64-out']),
    new Option(
      '--timeout-ms <number>',
      'How long to wait for an answer; 30000 unless given.',
    ).argParser(wholeNumber),
    ...locationOptions(),
  ]
}

/** Adds the command of each operation. */
export function addOperations(program: Command): void {
  for (const rpc of Object.values(CONTRACT)) {
    addOperation(program, rpc, program.command(kebabCase(rpc.name)))
  }
}

/** Adds `policy`, whose commands are operations under other names. */
export function addPolicy(program: Command): void {
  const policy = program.command('policy').description('Asks who may do what, and why.')
  addOperation(program, CONTRACT.SimulatePolicy, policy.command('simulate'))
}

function addOperation(program: Command, rpc: RpcContract, command: Command): void {
  command.description(rpc.doc).addHelpText('after', `\nExample:\n  ${example(rpc)}`)
  const fieldOptions = new Map<string, FieldContract>()
  for (const field of rpc.request.fields) {
    for (const option of optionsOf(field, rpc)) {
      command.addOption(option)
      fieldOptions.set(option.attributeName(), field)
    }
  }
  command.addOption(
    new Option(
      '--cli-input-json <json>',
      'The request as JSON, or file://<path>; options go before it.',
    ),
  )
  if (itemsField(rpc)) for (const option of pageOptions()) command.addOption(option)
  for (const option of globalOptions()) command.addOption(option.helpGroup('Global options:'))
  command.action(async (own: Record<string, OptionValue>) => {
    const options = { ...DEFAULTS, ...program.opts(), ...own }
    const given = Object.entries(own).flatMap(([attribute, value]) => {
      const field = fieldOptions.get(attribute)
      return field ? [[field.name, value] as const] : []
    })
    await runOperation(rpc, new Map(given), options)
  })
}

function optionsOf(field: FieldContract, rpc: RpcContract): Option[] {
  const flag = kebabCase(field.awsName)
  const help = fieldHelp(field, rpc.request)
  if (field.holds.kind !== 'bool' || field.repeated) {
    return [new Option(`--${flag} ${placeholder(field)}`, help)]
  }
  return [new Option(`--${flag}`, help), new Option(`--no-${flag}`, 'The opposite.').hideHelp()]
}

function pageOptions(): Option[] {
  return [
    new Option('--max-items <number>', 'Prints at most so many items.').argParser(wholeNumber),
    new Option('--starting-token <token>', 'Goes on where NextToken of an answer says.'),
    new Option('--page-size <number>', 'Asks for so many in one call.').argParser(wholeNumber),
    new Option('--no-paginate', 'Makes one call only, and prints its answer as it is.'),
  ]
}

function wholeNumber(text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}

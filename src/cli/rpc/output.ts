/** Answers as the AWS CLI prints them: in AWS's names, queried by JMESPath, as JSON, YAML or text. */

import { compile, type JSONValue, TreeInterpreter } from '@jmespath-community/jmespath'
import { stringify } from 'yaml'
import { type FieldContract, isLeftOut, type MessageContract } from '../../contract/contract.ts'
import type { PlainMessage } from '../../contract/wire.ts'
import { misused } from '../exit.ts'

/** The ways of printing. */
export const OUTPUT_FORMATS = ['json', 'text', 'yaml'] as const

/** A way of printing. */
export type OutputFormat = (typeof OUTPUT_FORMATS)[number]

/** Selects a part of an answer. */
export type Query = (answer: JSONValue) => JSONValue

type JsonObject = { [member: string]: JSONValue }

/**
 * Reads a JMESPath expression, before anything is sent.
 *
 * @throws CliError for an expression that is not sound.
 */
export function parseQuery(expression: string): Query {
  try {
    const ast = compile(expression)
    return (answer) => TreeInterpreter.search(ast, answer)
  } catch (error) {
    misused(`bad value for --query ${expression}: ${(error as Error).message}`, { cause: error })
  }
}

/** A message in AWS's JSON: blobs in base64, times in ISO 8601. */
export function toAws(contract: MessageContract, message: PlainMessage): JsonObject {
  const members = contract.fields
    .filter(({ name }) => !isLeftOut(contract, message[name]))
    .map((field): [string, JSONValue] => [field.awsName, fieldToAws(field, message[field.name])])
  return Object.fromEntries(members)
}

/** What stands on stdout; empty for an answer without members, as the AWS CLI has it. */
export function format(answer: JSONValue, as: OutputFormat): string {
  if (isObject(answer) && Object.keys(answer).length === 0) return ''
  switch (as) {
    case 'json':
      return `${JSON.stringify(answer, null, 4)}\n`
    case 'yaml':
      return stringify(answer)
    case 'text':
      return textLines(answer)
        .map((line) => `${line}\n`)
        .join('')
  }
}

function fieldToAws(field: FieldContract, value: unknown): JSONValue {
  return field.repeated
    ? (value as unknown[]).map((item) => itemToAws(field, item))
    : itemToAws(field, value)
}

function itemToAws({ holds }: FieldContract, value: unknown): JSONValue {
  switch (holds.kind) {
    case 'message':
      return toAws(holds.message, value as PlainMessage)
    case 'map':
      return Object.fromEntries(value as ReadonlyMap<string, string>)
    case 'bytes':
      return (value as Buffer).toString('base64')
    case 'timestamp':
      return isoTime(value as Date)
    default:
      return value as JSONValue
  }
}

/** `2026-01-31T12:00:00.250000+00:00`: the AWS CLI's spelling, in UTC. */
function isoTime(date: Date): string {
  return date.toISOString().replace(/\.([0-9]{3})Z$/, (_, ms: string) => {
    return `${ms === '000' ? '' : `.${ms}000`}+00:00`
  })
}

/**
 * Lines of words with tabs between them, by the rules of the AWS CLI: the scalars of a structure
 * in the order of their names on one line, then what lies deeper, each line led by its name.
 * https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-output-format.html#text-output
 */
function textLines(value: JSONValue, name?: string, columns?: readonly string[]): string[] {
  if (Array.isArray(value)) return listLines(value, name)
  if (!isObject(value)) return [scalarText(value)]
  const names = Object.keys(value).sort()
  const scalars = columns ?? names.filter((each) => isScalar(value[each]))
  const line = [
    ...(name === undefined ? [] : [name.toUpperCase()]),
    ...scalars.map((each) => (Object.hasOwn(value, each) ? scalarText(value[each] ?? null) : '')),
  ]
  const deeper = names.filter((each) => !scalars.includes(each))
  return [
    ...(scalars.length > 0 ? [line.join('\t')] : []),
    ...deeper.flatMap((each) => textLines(value[each] ?? null, each)),
  ]
}

function listLines(items: readonly JSONValue[], name: string | undefined): string[] {
  if (items.some(isObject)) {
    const columns = new Set(
      items.filter(isObject).flatMap((item) => {
        return Object.keys(item).filter((each) => isScalar(item[each]))
      }),
    )
    // Every item has the same columns, so that they stand under one another.
    return items.flatMap((item) => textLines(item, name, [...columns].sort()))
  }
  const scalars = items.filter(isScalar).map(scalarText)
  const lists = items.filter((item) => !isScalar(item))
  const lines =
    name === undefined
      ? [scalars.join('\t')]
      : scalars.map((scalar) => `${name.toUpperCase()}\t${scalar}`)
  return [...(scalars.length > 0 ? lines : []), ...lists.flatMap((item) => textLines(item, name))]
}

/** The AWS CLI is written in Python, and so are its truth and its nothing. */
function scalarText(value: JSONValue): string {
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  return String(value)
}

function isScalar(value: JSONValue | undefined): boolean {
  return typeof value !== 'object' || value === null
}

function isObject(value: JSONValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** From the words of a command line to a request: the AWS CLI's ways of writing values. */

import type { FieldContract, MessageContract } from '../../contract/contract.ts'
import type { PlainMessage } from '../../contract/wire.ts'
import { misused } from '../exit.ts'
import { contentOf, fileNamed } from './parameter-file.ts'
import { parseShorthand, type Shorthand } from './shorthand.ts'

/** How blobs are written on the command line and in JSON. */
export type BlobFormat = 'base64' | 'raw-in-base64-out'

/** What the command line says, before it is a request. */
export interface GivenParameters {
  /** The values of options, by the names of fields. */
  readonly options: ReadonlyMap<string, string | readonly string[] | boolean>
  /** `--cli-input-json`. */
  readonly json?: string
  readonly blobFormat: BlobFormat
}

/** What JSON or shorthand says. */
type Written =
  | Shorthand
  | number
  | boolean
  | null
  | readonly Written[]
  | { readonly [member: string]: Written }

/** How values are to be read, and where: `Tags[0].TagKey`. */
interface Reading {
  readonly at: string
  readonly blobFormat: BlobFormat
  /** Shorthand has text for everything, and one item may stand for a list. */
  readonly written: 'json' | 'shorthand'
}

/** The name that AWS's tools make of a name in its model: `KeyId` is `key-id`. */
export function kebabCase(awsName: string): string {
  // Acronyms in the plural (`ARNs`) are one word.
  return awsName
    .replace(/[A-Z]{2,}s$/, (acronyms) => `-${acronyms.toLowerCase()}`)
    .replace(/(.)([A-Z][a-z]+)/g, '$1-$2')
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
}

/**
 * Makes a request.
 *
 * @throws CliError that names the parameter, and never shows the value of a secret one.
 */
export async function requestFrom(
  contract: MessageContract,
  { options, json, blobFormat }: GivenParameters,
): Promise<PlainMessage> {
  const request: Record<string, unknown> = {}
  if (json !== undefined) {
    const written = parseJson((await textNamed(json)) ?? json, '--cli-input-json')
    Object.assign(request, readMessage(contract, written, { at: '', blobFormat, written: 'json' }))
  }
  for (const field of contract.fields) {
    const value = options.get(field.name)
    if (value === undefined) continue
    const option = `--${kebabCase(field.awsName)}`
    try {
      request[field.name] =
        typeof value === 'boolean' ? value : await readOption(field, value, blobFormat)
    } catch (error) {
      if (error instanceof Error) error.message = `${option}: ${error.message}`
      throw error
    }
  }
  const missing = contract.fields.filter(
    ({ name, rule }) => rule.required && request[name] === undefined,
  )
  if (missing.length > 0) {
    const names = missing.map(({ awsName }) => `--${kebabCase(awsName)}`)
    misused(`the following arguments are required: ${names.join(', ')}`)
  }
  return request
}

/** Overwrites the blobs of a message, which may be plaintext. */
export function wipe(message: PlainMessage): void {
  for (const value of Object.values(message)) {
    if (value instanceof Uint8Array) value.fill(0)
  }
}

async function readOption(
  field: FieldContract,
  value: string | readonly string[],
  blobFormat: BlobFormat,
): Promise<unknown> {
  const reading: Reading = { at: field.awsName, blobFormat, written: 'shorthand' }
  const words = typeof value === 'string' ? [value] : value
  const [only = ''] = words
  if (field.holds.kind === 'bytes' && !field.repeated) {
    return (await bytesNamed(only)) ?? readScalar(field, (await textNamed(only)) ?? only, reading)
  }
  // As in the AWS CLI, a file holds the whole value: one of several words is never a file.
  const whole = words.length === 1 ? ((await textNamed(only)) ?? only) : undefined
  if (whole !== undefined && isJson(field, whole)) {
    return readValue(field, parseJson(whole, 'the value'), { ...reading, written: 'json' })
  }
  if (!field.repeated) return readWord(field, whole ?? '', reading)
  const items = whole === undefined ? words : [whole]
  return items.map((item) => readWord(field, item, reading))
}

/** Whether a value is JSON: a list, map or structure may be. */
function isJson(field: FieldContract, text: string): boolean {
  const begin = text.trimStart().charAt(0)
  return (field.repeated && begin === '[') || (field.holds.kind === 'map' && begin === '{')
}

/** One word of the command line, which is one item of a list. */
function readWord(field: FieldContract, word: string, reading: Reading): unknown {
  const { kind } = field.holds
  if (kind !== 'map' && kind !== 'message') return readScalar(field, word, reading)
  return word.trimStart().startsWith('{')
    ? readItem(field, parseJson(word, 'the value'), { ...reading, written: 'json' })
    : readItem(field, parseShorthand(word), reading)
}

function readValue(field: FieldContract, value: Written, reading: Reading): unknown {
  if (!field.repeated) return readItem(field, value, reading)
  if (Array.isArray(value)) {
    return value.map((item: Written, index) =>
      readItem(field, item, { ...reading, at: `${reading.at}[${index}]` }),
    )
  }
  if (reading.written === 'json') misused(`${reading.at} must be a list`)
  return [readItem(field, value, reading)]
}

function readItem(field: FieldContract, value: Written, reading: Reading): unknown {
  switch (field.holds.kind) {
    case 'message':
      return readMessage(field.holds.message, value, reading)
    case 'map':
      return readMap(value, reading)
    default:
      return readScalar(field, value, reading)
  }
}

function readMessage(contract: MessageContract, value: Written, reading: Reading): PlainMessage {
  const message: Record<string, unknown> = {}
  for (const [name, member] of membersOf(value, reading)) {
    const field = contract.fields.find(({ awsName }) => awsName === name)
    const at = reading.at ? `${reading.at}.${name}` : name
    if (!field) {
      const names = contract.fields.map(({ awsName }) => awsName).join(', ')
      misused(`unknown parameter ${at}; there are: ${names}`)
    }
    message[field.name] = readValue(field, member, { ...reading, at })
  }
  return message
}

function readMap(value: Written, reading: Reading): ReadonlyMap<string, string> {
  const map = new Map<string, string>()
  for (const [key, member] of membersOf(value, reading)) {
    if (typeof member !== 'string') misused(`${reading.at}: the value of ${key} must be a string`)
    map.set(key, member)
  }
  return map
}

function membersOf(value: Written, { at }: Reading): Iterable<[string, Written]> {
  if (value instanceof Map) return value
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    misused(`${at || 'the input'} must be a structure with members`)
  }
  return Object.entries(value)
}

function readScalar(field: FieldContract, value: Written, reading: Reading): unknown {
  const { holds } = field
  const { at, blobFormat, written } = reading
  switch (holds.kind) {
    case 'bytes':
      if (typeof value !== 'string') misused(`${at} must be a blob in a string`)
      return blobFormat === 'base64' ? fromBase64(value, at) : Buffer.from(value)
    case 'int32': {
      const number = written === 'shorthand' && isInteger(value) ? Number(value) : value
      if (!Number.isInteger(number)) misused(`${at} must be a whole number`)
      return number
    }
    case 'bool': {
      const truth = written === 'shorthand' ? { true: true, false: false }[`${value}`] : value
      if (typeof truth !== 'boolean') misused(`${at} must be true or false`)
      return truth
    }
    case 'timestamp':
      return toDate(value, at)
    case 'enum':
      if (typeof value !== 'string' || !holds.enum.toNumber.has(value)) {
        misused(`${at} must be one of ${holds.enum.names.join(', ')}`)
      }
      return value
    default:
      if (typeof value !== 'string') misused(`${at} must be a string`)
      return value
  }
}

function isInteger(value: Written): boolean {
  return typeof value === 'string' && /^[+-]?[0-9]{1,10}$/.test(value)
}

/** Text in base64; blanks and line ends are passed over, as `base64` breaks its lines. */
function fromBase64(text: string, at: string): Buffer {
  const tight = text.replace(/\s/g, '')
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(tight) || tight.length % 4 !== 0) {
    misused(
      `${at} is not in base64; for bytes from a file write fileb://<path>, for text as it ` +
        'stands add --cli-binary-format raw-in-base64-out',
    )
  }
  return Buffer.from(tight, 'base64')
}

function toDate(value: Written, at: string): Date {
  const isEpoch = typeof value === 'number' || /^[0-9]+(\.[0-9]+)?$/.test(String(value))
  const date = isEpoch ? new Date(Number(value) * 1000) : new Date(String(value))
  if (Number.isNaN(date.getTime())) misused(`${at} must be a time in ISO 8601 or epoch seconds`)
  return date
}

function parseJson(text: string, what: string): Written {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's own message would show what it read, which may be secret.
    misused(`${what} is not sound JSON`)
  }
}

async function bytesNamed(value: string): Promise<Buffer | undefined> {
  const path = fileNamed('fileb://', value)
  return path === undefined ? undefined : contentOf(path)
}

async function textNamed(value: string): Promise<string | undefined> {
  const path = fileNamed('file://', value)
  if (path === undefined) return undefined
  const content = await contentOf(path)
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content)
  } catch {
    misused(`${path} is not text in UTF-8: write fileb:// for bytes`)
  } finally {
    content.fill(0)
  }
}

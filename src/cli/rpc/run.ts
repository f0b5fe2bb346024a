/** Runs one operation: words to a request, the calls, and the answer printed. */

import type { Client } from '../../client/client.ts'
import type { KeyslotError } from '../../client/error.ts'
import type { RpcContract } from '../../contract/contract.ts'
import type { PlainMessage } from '../../contract/wire.ts'
import { type ConnectionOptions, clientSettings, type Location, locate } from '../connection.ts'
import { CliError, EXIT, misused } from '../exit.ts'
import { print } from '../streams.ts'
import { format, type OutputFormat, parseQuery, toAws } from './output.ts'
import { itemsField, joinPages, type PageOptions } from './pages.ts'
import { type BlobFormat, requestFrom, wipe } from './parameters.ts'

/** The options of an operation that are not its request. */
export interface OperationOptions extends ConnectionOptions, PageOptions {
  readonly output: OutputFormat
  readonly query?: string
  readonly cliBinaryFormat: BlobFormat
  readonly cliInputJson?: string
  readonly paginate: boolean
}

/** What the command line gives for an option. */
export type OptionValue = string | readonly string[] | boolean

/**
 * Runs an operation.
 *
 * @param given the values of options, by the names of fields.
 * @throws CliError with the exit code of what went wrong.
 */
export async function runOperation(
  rpc: RpcContract,
  given: ReadonlyMap<string, OptionValue>,
  options: OperationOptions,
): Promise<void> {
  // All that can be wrong here is found before anything is sent.
  const query = options.query === undefined ? undefined : parseQuery(options.query)
  const request = await requestFrom(rpc.request, {
    options: given,
    json: options.cliInputJson,
    blobFormat: options.cliBinaryFormat,
  })
  try {
    const location = locate(options, process.env)
    const { answer, nextToken } = await answerOf(rpc, request, location, options)
    // Text has the token on a line of its own, behind the items.
    const isApart = nextToken !== undefined && options.output === 'text' && !query
    const whole = nextToken === undefined || isApart ? answer : { ...answer, NextToken: nextToken }
    const line = isApart ? format({ NextToken: { NextToken: nextToken } }, 'text') : ''
    await print(format(query ? query(whole) : whole, options.output) + line)
  } finally {
    wipe(request)
  }
}

interface Answer {
  readonly answer: ReturnType<typeof toAws>
  readonly nextToken?: string
}

async function answerOf(
  rpc: RpcContract,
  request: PlainMessage,
  location: Location,
  options: OperationOptions,
): Promise<Answer> {
  const items = itemsField(rpc)
  const asPages = items && isJoined(request, options) ? items : undefined
  const settings = clientSettings(location, options.timeoutMs)
  // Loaded late: gRPC is most of what this command would otherwise not need.
  const { connect } = await import('../../client/client.ts')
  const client = connect(settings)
  const call = callOf(client, rpc, location)
  try {
    if (!asPages) return { answer: toAws(rpc.response, await call(request)) }
    const { response, nextToken } = await joinPages(call, request, asPages, options)
    return { answer: toAws(rpc.response, response), nextToken }
  } finally {
    client.close()
  }
}

/** Whether pages are joined: not for somebody who turns them one by one. */
function isJoined(request: PlainMessage, options: OperationOptions): boolean {
  const byHand = request.limit !== undefined || request.marker !== undefined
  const asked = options.maxItems ?? options.pageSize ?? options.startingToken
  if (byHand && asked !== undefined) {
    misused('--limit and --marker turn pages by hand, without --max-items and its kin')
  }
  return options.paginate && !byHand
}

function callOf(client: Client, { name }: RpcContract, { endpoint }: Location) {
  return async (request: PlainMessage): Promise<PlainMessage> => {
    try {
      return await client.call(name, request)
    } catch (error) {
      throw failureOf(error as KeyslotError, name, endpoint)
    }
  }
}

/** In the words of the AWS CLI where the service answered; else what stands in the way. */
function failureOf(error: KeyslotError, operation: string, endpoint: string): CliError {
  const { name, message, requestId } = error
  const options = { cause: error }
  if (name === 'UNAVAILABLE') {
    return new CliError(
      EXIT.general,
      `Could not connect to ${endpoint}: ${message}\n` +
        'Is `keyslot serve` running there? Another place is named by --endpoint.',
      options,
    )
  }
  if (name === 'DEADLINE_EXCEEDED') {
    return new CliError(
      EXIT.general,
      `${endpoint} did not answer ${operation} in time; whether it was done is not known. ` +
        'A longer time is given by --timeout-ms.',
      options,
    )
  }
  const trace = requestId === undefined ? '' : `\nRequest id: ${requestId}`
  const answered = /[a-z]/.test(name)
  return new CliError(
    answered ? EXIT.service : EXIT.general,
    `An error occurred (${name}) when calling the ${operation} operation: ${message}${trace}`,
    options,
  )
}

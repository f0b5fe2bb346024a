/**
 * Lists that come in pages, as the AWS CLI joins them.
 * https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-pagination.html
 */

import type { FieldContract, RpcContract } from '../../contract/contract.ts'
import type { PlainMessage } from '../../contract/wire.ts'
import { misused } from '../exit.ts'

/** What the user asked of the pages. */
export interface PageOptions {
  /** Items to print at most. */
  readonly maxItems?: number
  /** `NextToken` of the answer before. */
  readonly startingToken?: string
  /** Items to ask for in one call. */
  readonly pageSize?: number
}

/** The items of all pages that were asked for. */
export interface JoinedPages {
  readonly response: PlainMessage
  /** Where to go on; absent at the end. */
  readonly nextToken?: string
}

/** Where a list goes on: the marker of a page, and how many of its items to leave out. */
interface Position {
  readonly marker?: string
  readonly skipped: number
}

/** The field that holds the items, where the answers of an rpc come in pages. */
export function itemsField({ request, response }: RpcContract): FieldContract | undefined {
  const asks = ['limit', 'marker'].every((name) => request.fields.some((f) => f.name === name))
  const answers = response.fields.some(({ name }) => name === 'nextMarker')
  return asks && answers ? response.fields.find(({ repeated }) => repeated) : undefined
}

/**
 * Calls for page after page, until the end or `maxItems`.
 *
 * @throws CliError for a token that no answer of ours has given.
 */
export async function joinPages(
  call: (request: PlainMessage) => Promise<PlainMessage>,
  request: PlainMessage,
  items: FieldContract,
  { maxItems = Number.POSITIVE_INFINITY, startingToken, pageSize }: PageOptions,
): Promise<JoinedPages> {
  let position = startingToken === undefined ? { skipped: 0 } : parseToken(startingToken)
  const joined: unknown[] = []
  for (;;) {
    const { marker, skipped } = position
    const page = await call({ ...request, limit: pageSize, marker })
    const all = page[items.name] as readonly unknown[]
    const wanted = all.slice(skipped, skipped + maxItems - joined.length)
    joined.push(...wanted)
    const response = { [items.name]: joined }
    const read = skipped + wanted.length
    if (read < all.length) return { response, nextToken: token({ marker, skipped: read }) }
    const { nextMarker } = page
    if (page.truncated !== true || typeof nextMarker !== 'string') return { response }
    if (nextMarker === marker) throw new Error('the service answered the same page again')
    position = { marker: nextMarker, skipped: 0 }
    if (joined.length >= maxItems) return { response, nextToken: token(position) }
  }
}

/** A token as the AWS CLI writes it, so that scripts can go on with either. */
function token({ marker, skipped }: Position): string {
  const position = { Marker: marker ?? null, ...(skipped > 0 && { boto_truncate_amount: skipped }) }
  return Buffer.from(JSON.stringify(position)).toString('base64')
}

function parseToken(text: string): Position {
  try {
    const position = JSON.parse(Buffer.from(text, 'base64').toString())
    const { Marker: marker, boto_truncate_amount: skipped = 0 } = position
    const sound = marker === null || typeof marker === 'string'
    if (sound && Number.isSafeInteger(skipped) && skipped >= 0) {
      return { marker: marker ?? undefined, skipped }
    }
  } catch {
    // Refused below like all that is not a token.
  }
  misused('--starting-token is not a NextToken of a list')
}

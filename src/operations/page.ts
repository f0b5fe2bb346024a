/** Pages of a list, as AWS KMS gives them: Limit, Marker, NextMarker, Truncated. */

import type { Place } from '../model/arn.ts'
import { packMarker, parseMarker } from '../model/marker.ts'
import type { PageRequest } from '../store/page.ts'

/** A list to take a page of. */
interface List<Item> {
  /** What a marker is bound to: it continues this list and no other. */
  readonly query: { readonly operation: string; readonly place: Place; readonly filter?: string }
  readonly request: { readonly limit?: number; readonly marker?: string }
  /** How many items when the request does not say. */
  readonly defaultLimit: number
  /** How many items at most, whatever the request says. */
  readonly limitMax: number
  readonly read: (page: PageRequest) => Promise<readonly Item[]>
  /** By what the list is ordered. */
  readonly keyOf: (item: Item) => string
}

/** A page. */
interface Page<Item> {
  readonly items: readonly Item[]
  readonly nextMarker?: string
  readonly truncated: boolean
}

/**
 * Takes a page of a list.
 *
 * @throws KmsError InvalidMarkerException for a marker that does not continue this list.
 */
export async function page<Item>(list: List<Item>): Promise<Page<Item>> {
  const { limit = list.defaultLimit, marker } = list.request
  const { operation, place, filter = '' } = list.query
  const query = { operation, account: place.account, region: place.region, filter }
  const size = Math.min(limit, list.limitMax)
  const after = marker === undefined ? undefined : parseMarker(query, marker)
  // One more than asked for tells whether there are more.
  const found = await list.read({ after, limit: size + 1 })
  const items = found.slice(0, size)
  const last = items.at(-1)
  if (found.length <= size || last === undefined) return { items, truncated: false }
  return { items, nextMarker: packMarker(query, list.keyOf(last)), truncated: true }
}

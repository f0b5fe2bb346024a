/**
 * Pagination markers: opaque, and good only for the query that they came from.
 *
 * A marker is base64url over a version byte, 16 bytes of a SHA-256 digest of the query, and the
 * item after which the next page begins. There is no MAC: a forged marker moves its caller only
 * within a list which the same query would have shown from the start.
 */

import { createHash } from 'node:crypto'
import type { Place } from './arn.ts'
import { fail } from './failures.ts'

/** What a marker belongs to: the list, whose it is, and what it was narrowed to. */
export interface MarkerQuery extends Place {
  /** The operation, such as `ListAliases`. */
  readonly operation: string
  /** What else decides which items the list holds, such as a key id; absent for all items. */
  readonly filter?: string
}

/** The longest marker, in characters; https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeys.html */
export const MARKER_LENGTH_MAX = 1024

const VERSION = 1
const DOMAIN = 'keyslot marker v1'
const QUERY_BYTES = 16
const AFTER_AT = 1 + QUERY_BYTES
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * The marker of a page.
 *
 * @param after the key of the page's last item: not empty, and at most 751 bytes in UTF-8.
 */
export function packMarker(query: MarkerQuery, after: string): string {
  const bytes = Buffer.concat([Buffer.of(VERSION), queryDigest(query), Buffer.from(after)])
  const marker = bytes.toString('base64url')
  if (after === '' || !after.isWellFormed() || marker.length > MARKER_LENGTH_MAX) {
    throw new Error(`no marker for an item named by ${after.length} characters`)
  }
  return marker
}

/**
 * The item after which the page begins.
 *
 * @throws KmsError InvalidMarkerException for anything that `packMarker` did not make of this
 *   very query.
 */
export function parseMarker(query: MarkerQuery, marker: string): string {
  if (marker.length > MARKER_LENGTH_MAX) refuse()
  const bytes = Buffer.from(marker, 'base64url')
  // What the decoder skips or ignores would give one marker many spellings.
  if (bytes.toString('base64url') !== marker || bytes.length <= AFTER_AT) refuse()
  if (bytes[0] !== VERSION || !bytes.subarray(1, AFTER_AT).equals(queryDigest(query))) refuse()
  try {
    return strictUtf8.decode(bytes.subarray(AFTER_AT))
  } catch {
    return refuse()
  }
}

function queryDigest({ operation, account, region, filter }: MarkerQuery): Buffer {
  const hash = createHash('sha256')
  const narrowed = filter === undefined ? [] : [filter]
  for (const part of [DOMAIN, operation, account, region, ...narrowed]) {
    const bytes = Buffer.from(part)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    hash.update(length).update(bytes)
  }
  return hash.digest().subarray(0, QUERY_BYTES)
}

function refuse(): never {
  fail('InvalidMarkerException', 'The marker is not valid.')
}

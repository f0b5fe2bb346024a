/**
 * Grant tokens: opaque names of a grant. Like AWS's they give nothing by themselves and are no
 * secret, but only those whom CreateGrant has told one can name the grant by it.
 *
 * A token is base64url over a version byte, the grant id, 16 random bytes and an HMAC-SHA-256 of
 * all that, the key and its account, by a key of the grant's own: so each call gives another one,
 * all are good for as long as the grant is there, and nothing is kept for each.
 */

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** What a token is bound to. */
export interface GrantTokenBinding {
  /** 64 hex digits. */
  readonly grantId: string
  readonly keyId: string
  /** The account of the key. */
  readonly account: string
  /** The grant's own: 32 bytes as hex digits. */
  readonly tokenKey: string
}

const VERSION = 1
const DOMAIN = 'keyslot grant token v1'
const ID_BYTES = 32
const NONCE_BYTES = 16
const MAC_BYTES = 32
const MAC_AT = 1 + ID_BYTES + NONCE_BYTES

/** A new token of a grant. */
export function newGrantToken(binding: GrantTokenBinding): string {
  const head = Buffer.concat([
    Buffer.of(VERSION),
    Buffer.from(binding.grantId, 'hex'),
    randomBytes(NONCE_BYTES),
  ])
  return Buffer.concat([head, mac(head, binding)]).toString('base64url')
}

/** The grant that a token names, if it has the form of one; whether it is one, see `isGrantToken`. */
export function grantIdOfToken(token: string): string | undefined {
  return parse(token)?.toString('hex', 1, 1 + ID_BYTES)
}

/** Whether this is a token of the grant; takes the same time for every wrong one. */
export function isGrantToken(token: string, binding: GrantTokenBinding): boolean {
  const bytes = parse(token)
  if (bytes === undefined || grantIdOfToken(token) !== binding.grantId) return false
  return timingSafeEqual(mac(bytes.subarray(0, MAC_AT), binding), bytes.subarray(MAC_AT))
}

function parse(token: string): Buffer | undefined {
  const bytes = Buffer.from(token, 'base64url')
  // What the decoder skips or ignores would give one token many spellings.
  if (bytes.toString('base64url') !== token) return undefined
  return bytes.length === MAC_AT + MAC_BYTES && bytes[0] === VERSION ? bytes : undefined
}

function mac(head: Buffer, { keyId, account, tokenKey }: GrantTokenBinding): Buffer {
  return createHmac('sha256', Buffer.from(tokenKey, 'hex'))
    .update(`${DOMAIN}\0${account}\0${keyId}\0`)
    .update(head)
    .digest()
}

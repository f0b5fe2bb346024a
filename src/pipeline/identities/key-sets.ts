/**
 * The public keys of issuers of tokens: key sets that are given whole, or that are fetched from
 * where they are and held for a while. https://datatracker.ietf.org/doc/html/rfc7517
 *
 * Where keys are is for accounts to say, so that a call may wait as long as somebody likes: few
 * calls wait for the keys of one account's providers, and what could not be had is not asked for
 * again at once.
 */

import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import { fail } from '../../model/failures.ts'

/** Finds the keys by which tokens are verified. */
export interface KeySets {
  /**
   * Finds the key of a token.
   *
   * @param jwks a JSON Web Key Set, or the URL of one.
   * @param account whose provider has it.
   * @throws JOSEError when the set has no such key, or is none; KmsError
   *   IDPCommunicationErrorException when it cannot be had, ThrottlingException when too many calls
   *   wait for keys already.
   */
  keysOf(jwks: string, account: string): JWTVerifyGetKey
}

/** A key set that has been opened. */
type KeySet = (
  account: string,
  ...token: Parameters<JWTVerifyGetKey>
) => ReturnType<JWTVerifyGetKey>

const KEY_SET_BYTES_MAX = 256 * 1024
const FETCH_TIMEOUT_MS = 5000
/** How long keys are held before they are fetched again, and how soon an unknown key fetches. */
const KEYS_AGE_MAX_MS = 10 * 60_000
const KEYS_COOLDOWN_MS = 30_000
/** How long keys that could not be had are not asked for again. */
const RETRY_MS = 5000
/** How many key sets are held. */
const KEY_SETS_HELD = 1000
/** How many calls may wait for the keys of one account's providers. */
const WAITING_MAX = 16

/** Makes it; `clock` is milliseconds since the epoch. */
export function createKeySets(clock: () => number): KeySets {
  const held = new Map<string, KeySet>()
  const waiting = new Map<string, number>()

  async function wait(account: string, fetched: () => Promise<void>): Promise<void> {
    const others = waiting.get(account) ?? 0
    if (others >= WAITING_MAX) {
      fail('ThrottlingException', 'Rate exceeded: too many calls wait for keys of the account.')
    }
    waiting.set(account, others + 1)
    try {
      await fetched()
    } finally {
      const rest = (waiting.get(account) ?? 0) - 1
      if (rest > 0) waiting.set(account, rest)
      else waiting.delete(account)
    }
  }

  function open(jwks: string): KeySet {
    if (/^https?:/.test(jwks)) return fetchedKeySet(jwks, clock, wait)
    const keys = createLocalJWKSet(JSON.parse(jwks))
    return (_account, ...token) => keys(...token)
  }

  return {
    keysOf(jwks, account) {
      const known = held.get(jwks) ?? open(jwks)
      held.set(jwks, known)
      const [oldest] = held.keys()
      if (held.size > KEY_SETS_HELD && oldest !== undefined) held.delete(oldest)
      return (...token) => known(account, ...token)
    },
  }
}

function fetchedKeySet(
  url: string,
  clock: () => number,
  wait: (account: string, fetched: () => Promise<void>) => Promise<void>,
): KeySet {
  let keys: ReturnType<typeof createLocalJWKSet> | undefined
  let fetchedMs = Number.NEGATIVE_INFINITY
  let failedMs = Number.NEGATIVE_INFINITY
  let fetching: Promise<void> | undefined

  // Either way, since a clock may be set back.
  const isWithin = (ms: number, sinceMs: number) => Math.abs(clock() - sinceMs) < ms

  function refresh(): Promise<void> {
    fetching ??= fetchKeys().finally(() => {
      fetching = undefined
    })
    return fetching
  }

  async function fetchKeys(): Promise<void> {
    try {
      keys = createLocalJWKSet(await fetchKeySet(url))
      fetchedMs = clock()
    } catch (cause) {
      failedMs = clock()
      unreachable(cause)
    }
  }

  async function fresh(account: string) {
    if (isWithin(RETRY_MS, failedMs)) unreachable()
    await wait(account, refresh)
    return keys ?? unreachable()
  }

  return async (account, ...token) => {
    const held = isWithin(KEYS_AGE_MAX_MS, fetchedMs) ? keys : undefined
    try {
      return await (held ?? (await fresh(account)))(...token)
    } catch (error) {
      const isUnknown = error instanceof errors.JWKSNoMatchingKey
      if (!isUnknown || isWithin(KEYS_COOLDOWN_MS, fetchedMs)) throw error
      return await (await fresh(account))(...token)
    }
  }
}

/** Fetches no more than a key set can be, and from nowhere else than said. */
async function fetchKeySet(url: string): Promise<JSONWebKeySet> {
  const { status, body } = await fetch(url, {
    redirect: 'manual',
    headers: { accept: 'application/json, application/jwk-set+json' },
    signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
  })
  if (status !== 200 || body === null) throw new Error(`answered with status ${status}`)
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > KEY_SET_BYTES_MAX) throw new Error('the key set is too long')
    chunks.push(chunk)
  }
  return JSON.parse(Buffer.concat(chunks).toString())
}

/** Says that keys cannot be had. */
export function unreachable(cause?: unknown): never {
  const message = 'The keys of the identity provider could not be had.'
  fail('IDPCommunicationErrorException', message, { cause })
}

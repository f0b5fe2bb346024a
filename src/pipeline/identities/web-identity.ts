/**
 * Verifies JSON Web Tokens: of identity providers that accounts name, and SPIFFE's.
 * RFC 8725; https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
 * https://github.com/spiffe/spiffe/blob/main/standards/JWT-SVID.md
 */

import { createHash } from 'node:crypto'
import { decodeJwt, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import type { WebIdentity } from '../../model/caller.ts'
import { fail, KmsError } from '../../model/failures.ts'
import type { IdentityProvider } from '../../model/identities/account.ts'
import { createKeySets, unreachable } from './key-sets.ts'

/** Verifies tokens. */
export interface TokenVerifier {
  /**
   * The holder of a token of this provider.
   *
   * @throws KmsError InvalidIdentityTokenException, ExpiredTokenException,
   *   IDPCommunicationErrorException when the provider's keys cannot be had, or ThrottlingException
   *   when too many calls wait for keys of its account's providers.
   */
  verify(token: string, provider: IdentityProvider): Promise<WebIdentity>
  /**
   * The SPIFFE ID in a JWT-SVID that is signed by one of these keys for one of these audiences.
   *
   * @param jwks a JSON Web Key Set.
   * @throws KmsError as above.
   */
  verifySvid(token: string, jwks: string, audiences: readonly string[]): Promise<string>
}

/** What is signed by a private key: no `none`, and nothing whose key would be the public one. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'].concat([
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
])
const TOKEN_LENGTH_MAX = 20_000
/** How many verified tokens are held. */
const TOKENS_HELD = 10_000
/** How long a verified token is taken without a look at its signature. */
const VERIFIED_MS = 5 * 60_000
/** How far the clocks of issuers may be off. */
const TOLERANCE_S = 5

/** What is held of a verified token. */
interface Verified {
  readonly payload: JWTPayload
  readonly untilMs: number
}

/** What a token has to be. */
interface Expected {
  readonly jwks: string
  /** Whose provider it is; absent for SPIFFE's. */
  readonly account?: string
  readonly audiences: readonly string[]
  readonly issuer?: string
}

/**
 * Makes a verifier.
 *
 * @param clock milliseconds since the epoch: by it tokens expire.
 */
export function createTokenVerifier(clock: () => number): TokenVerifier {
  const keySets = createKeySets(clock)
  const verified = new Map<string, Verified>()

  async function payloadOf(token: string, expected: Expected): Promise<JWTPayload> {
    if (token.length > TOKEN_LENGTH_MAX) invalid('it is too long')
    // All that decides is in the name: whatever changes in the provider, the token is verified again.
    const name = createHash('sha256')
      .update(JSON.stringify([token, expected]))
      .digest('base64')
    const known = verified.get(name)
    if (known && known.untilMs > clock()) {
      checkTimes(known.payload, clock())
      return known.payload
    }
    const keys = keySets.keysOf(expected.jwks, expected.account ?? '')
    const payload = await verifiedPayload(token, keys, expected, clock())
    verified.delete(name)
    hold(verified, name, { payload, untilMs: clock() + VERIFIED_MS })
    return payload
  }

  return {
    async verify(token, provider) {
      const { jwks, account, audiences, issuer, arn: providerArn } = provider
      const payload = await payloadOf(token, { jwks, account, audiences, issuer })
      const { sub: subject = '' } = payload
      const given = [payload.aud ?? []].flat()
      const audience = audiences.find((each) => given.includes(each)) ?? ''
      const tags = tagsOf(provider, payload)
      return { providerArn, issuer, subject, audience, claims: claimsOf(payload), tags }
    },

    async verifySvid(token, jwks, audiences) {
      const { sub = '' } = await payloadOf(token, { jwks, audiences })
      return sub
    },
  }
}

/** The issuer and the subject that a token claims, unverified: to know by whose keys to verify. */
export function claimed(token: string): { readonly issuer: string; readonly subject: string } {
  try {
    const { iss: issuer = '', sub: subject = '' } = decodeJwt(token)
    return { issuer, subject }
  } catch {
    return invalid('it cannot be read')
  }
}

async function verifiedPayload(
  token: string,
  keys: JWTVerifyGetKey,
  { audiences, issuer }: Expected,
  nowMs: number,
): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      algorithms: ALGORITHMS,
      audience: [...audiences],
      issuer,
      requiredClaims: ['sub', 'exp'],
      currentDate: new Date(nowMs),
      clockTolerance: TOLERANCE_S,
    })
    return payload
  } catch (error) {
    return refuse(error)
  }
}

function refuse(error: unknown): never {
  if (error instanceof KmsError) throw error
  if (error instanceof errors.JWTExpired) {
    fail('ExpiredTokenException', 'Token expired: the claim exp is in the past.')
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    invalid(`the claim ${error.claim} is not what it has to be`)
  }
  if (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys
  ) {
    invalid('no key of the provider has signed it')
  }
  if (error instanceof errors.JWKSInvalid) unreachable(error)
  if (error instanceof errors.JOSEError) {
    invalid('its signature cannot be verified')
  }
  return unreachable(error)
}

function checkTimes({ exp = 0, nbf = 0 }: JWTPayload, nowMs: number): void {
  const now = nowMs / 1000
  if (exp <= now - TOLERANCE_S) {
    fail('ExpiredTokenException', 'Token expired: the claim exp is in the past.')
  }
  if (nbf > now + TOLERANCE_S) invalid('the claim nbf is not what it has to be')
}

/** The claims by which policies decide: texts, and lists of them. */
function claimsOf(payload: JWTPayload): WebIdentity['claims'] {
  const claims = new Map<string, string | readonly string[]>()
  for (const [name, value] of Object.entries(payload)) {
    if (typeof value === 'string') claims.set(name, value)
    const isList = Array.isArray(value) && value.every((each) => typeof each === 'string')
    if (isList) claims.set(name, value)
  }
  return claims
}

function tagsOf({ sessionTags }: IdentityProvider, payload: JWTPayload): WebIdentity['tags'] {
  const tags = new Map<string, string>()
  for (const [key, pointer] of sessionTags) {
    const value = atPointer(payload, pointer)
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      tags.set(key, String(value).slice(0, 256))
    }
  }
  return tags
}

/** RFC 6901. */
function atPointer(value: unknown, pointer: string): unknown {
  let at = value
  for (const token of pointer.split('/').slice(1)) {
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined
    at = Reflect.get(at, name)
  }
  return at
}

function hold(verified: Map<string, Verified>, name: string, value: Verified): void {
  verified.set(name, value)
  const [oldest] = verified.keys()
  if (verified.size > TOKENS_HELD && oldest !== undefined) verified.delete(oldest)
}

function invalid(reason: string): never {
  fail('InvalidIdentityTokenException', `The web identity token is not valid: ${reason}.`)
}

/**
 * Verifies Signature Version 4 from the server's side. The body is always hashed here, the compare
 * takes as long whatever differs, and an access key that nobody has costs what a wrong signature
 * costs.
 */

import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import { fail } from '../../../model/failures.ts'
import { canonicalRequest, stringToSign } from './canonical.ts'
import { type Claim, type Expectations, mismatch, readClaim, unrecognised } from './claim.ts'
import { type SignedRequest, single } from './request.ts'
import { createSigningKeys } from './signing-keys.ts'

/** What an access key is worth to the verifier. */
export interface Credential {
  readonly secretAccessKey: string
  /** When temporary credentials end, in milliseconds since the epoch. */
  readonly expiresMs?: number
}

/** Finds the credential of an access key, with the session token that belongs to it or none. */
export type FindCredential<C extends Credential> = (
  accessKeyId: string,
  sessionToken: string | undefined,
) => Promise<C | undefined> | C | undefined

/** Who signed a request, once it is proved. */
export interface Verified<C extends Credential> {
  readonly credential: C
  readonly claim: Claim
}

/** Verifies requests. */
export interface Verifier<C extends Credential> {
  /**
   * @throws KmsError MissingAuthenticationTokenException, IncompleteSignatureException,
   *   InvalidSignatureException, UnrecognizedClientException or ExpiredTokenException.
   */
  verify(request: SignedRequest, expected: Expectations): Promise<Verified<C>>
}

/** What a verifier needs. */
export interface VerifierParts<C extends Credential> {
  readonly find: FindCredential<C>
  /** Milliseconds since the epoch. */
  readonly clock: () => number
}

/** Makes a verifier, with a cache of signing keys. */
export function createVerifier<C extends Credential>({
  find,
  clock,
}: VerifierParts<C>): Verifier<C> {
  const keys = createSigningKeys()
  return {
    async verify(request, expected) {
      const claim = readClaim(request, expected, clock())
      const { accessKeyId, sessionToken, scope } = claim
      const credential = await find(accessKeyId, sessionToken)
      const key = credential
        ? keys.of(accessKeyId, credential.secretAccessKey, scope)
        : keys.ofNobody(accessKeyId, scope)
      const isRight = isSignature(request, claim, key, expected.normalisePath)
      if (!credential) unrecognised()
      if (!isRight) mismatch()
      if (credential.expiresMs !== undefined && credential.expiresMs <= clock()) {
        fail('ExpiredTokenException', 'The security token included in the request is expired')
      }
      return { credential, claim }
    },
  }
}

function isSignature(
  request: SignedRequest,
  { timestamp, scope, signedHeaders, signature }: Claim,
  key: Buffer,
  normalise: boolean,
): boolean {
  const canonical = canonicalRequest(request, signedHeaders, normalise)
  const expected = createHmac('sha256', key)
    .update(stringToSign(timestamp, scope, canonical))
    .digest()
  return timingSafeEqual(expected, signature) && isBodyAsClaimed(request)
}

/** A header that speaks of another body than the one that came is no part of what we would sign. */
function isBodyAsClaimed({ headers, body }: SignedRequest): boolean {
  const claimed = single(headers, 'x-amz-content-sha256')
  return claimed === undefined || claimed === hash('sha256', body, 'hex')
}

/** Who calls: the principal whose access key has signed the request. */

import type { Caller } from '../../model/caller.ts'
import { KmsError } from '../../model/failures.ts'
import { createReplays } from './replays.ts'
import type { Claim, Expectations } from './signature/claim.ts'
import type { SignedRequest } from './signature/request.ts'
import { type Credential, createVerifier } from './signature/verify.ts'

/** An access key, and whose it is. */
export interface CallerCredential extends Credential {
  /**
   * Who calls with it.
   *
   * @throws KmsError UnrecognizedClientException when the principal is no more.
   */
  readonly caller: () => Caller | Promise<Caller>
}

/**
 * Finds the credential of an access key; `undefined` when there is none, or none with this session
 * token.
 */
export type FindCallerCredential = (
  accessKeyId: string,
  sessionToken?: string,
) => Promise<CallerCredential | undefined> | CallerCredential | undefined

/** Who calls and by what claim, or why it cannot be told. */
export type Identity =
  | { readonly caller: Caller; readonly claim: Claim }
  | { readonly refusal: KmsError }

/** Tells who calls. */
export interface Authentication {
  /** Verifies the signature of a request to a service. */
  identify(request: SignedRequest, service: ServiceName): Promise<Identity>
  /**
   * Takes note of a call that changes something, which is taken only once; to be asked when it has
   * been let in, and before it does anything.
   *
   * @returns who calls, or why the call is refused.
   */
  once(identity: Identity): Identity
}

/** A service, as the scope of signatures names it. */
export type ServiceName = 'kms' | 'sts'

/** What authentication needs. */
export interface AuthenticationParts {
  readonly region: string
  readonly credential: FindCallerCredential
  /** Milliseconds since the epoch. */
  readonly clock: () => number
}

const CLOCK_SKEW_MS = 5 * 60_000

/** Makes it, with its memory of keys and signatures. */
export function createAuthentication({
  region,
  credential,
  clock,
}: AuthenticationParts): Authentication {
  const verifier = createVerifier<CallerCredential>({ find: credential, clock })
  const replays = createReplays({ clock, clockSkewMs: CLOCK_SKEW_MS })
  const expectations = {
    kms: expectationsOf('kms', [region], ['x-amz-target']),
    // Of old there is one STS for all Regions, which is in this one.
    sts: expectationsOf('sts', [region, 'us-east-1'], []),
  }
  return {
    async identify(request, service) {
      try {
        const proved = await verifier.verify(request, expectations[service])
        return { caller: await proved.credential.caller(), claim: proved.claim }
      } catch (cause) {
        return { refusal: KmsError.from(cause) }
      }
    },
    once(identity) {
      if ('refusal' in identity) return identity
      try {
        replays.refuse(identity.claim, identity.caller.account)
        return identity
      } catch (cause) {
        return { refusal: KmsError.from(cause) }
      }
    },
  }
}

function expectationsOf(
  service: ServiceName,
  regions: readonly string[],
  signed: readonly string[],
): Expectations {
  return {
    service,
    regions,
    signed: ['host', 'x-amz-date', ...signed],
    signedIfPresent: ['content-type', 'x-amz-content-sha256', 'x-amz-security-token'],
    repeatedHeaders: false,
    normalisePath: true,
    clockSkewMs: CLOCK_SKEW_MS,
  }
}

/** Grant tokens in requests. */

import { fail } from '../../model/failures.ts'
import { grantIdOfToken, isGrantToken } from '../../model/grant-token.ts'
import type { GrantResource } from '../../operations/operation.ts'
import type { Store } from '../../store/store.ts'

/**
 * The grant that a token names.
 *
 * @throws KmsError InvalidGrantTokenException for what is no token of a grant that is there.
 */
export async function grantOfToken(store: Store, token: string): Promise<GrantResource> {
  const grantId = grantIdOfToken(token)
  const grant = grantId && (await store.grants.find(grantId))
  const key = grant && (await store.keys.find(grant.keyId))
  if (!key || !isGrantToken(token, { ...grant, account: key.account })) {
    fail('InvalidGrantTokenException', 'The grant token is not valid.')
  }
  return { grant, key }
}

/** The grant tokens in a request. */
export function grantTokensIn(request: object): readonly string[] {
  if (!('grantTokens' in request)) return []
  return (request as { readonly grantTokens: readonly string[] }).grantTokens
}

/**
 * Checks the grant tokens of a request. They decide nothing: a grant is in effect when it is
 * acknowledged. But a caller who relies on one that has no effect any more has to hear of it.
 *
 * @throws KmsError InvalidGrantTokenException.
 */
export async function checkGrantTokens(store: Store, tokens: readonly string[]): Promise<void> {
  for (const token of tokens) await grantOfToken(store, token)
}

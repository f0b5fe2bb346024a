/** What operations on identity providers share. */

import { fail } from '../../../model/failures.ts'
import type { IdentityProvider } from '../../../model/identities/account.ts'
import { parsePrincipalArn } from '../../../model/identities/principal.ts'
import type { Store } from '../../../store/store.ts'
import { checkTags } from '../../tags/tag-rules.ts'

/** What requests say of a provider. */
interface ProviderRequest {
  readonly clientIdList: readonly string[]
  readonly jwks: string
  readonly defaultRoleArn?: string
  readonly sessionTags: ReadonlyMap<string, string>
}

/**
 * Whether it takes the operator: to have keys fetched without TLS, since the request comes from
 * inside the operator's network; and to be who serves those who name no role, since with it they
 * name no account either, and any account may name any issuer.
 */
export function takesOperator({
  jwks,
  defaultRoleArn,
}: Pick<ProviderRequest, 'jwks' | 'defaultRoleArn'>): boolean {
  return jwks.startsWith('http:') || defaultRoleArn !== undefined
}

/**
 * Refuses what no provider may have.
 *
 * @throws KmsError ValidationException.
 */
export function checkProvider({ jwks, defaultRoleArn, sessionTags }: ProviderRequest): void {
  if (!isKeySet(jwks) && !isUrl(jwks)) {
    fail('ValidationException', 'Jwks is neither a JSON Web Key Set nor the URL of one.')
  }
  if (defaultRoleArn !== undefined && parsePrincipalArn(defaultRoleArn)?.kind !== 'role') {
    fail('ValidationException', `${defaultRoleArn} is not the ARN of a role.`)
  }
  checkTags([...sessionTags.keys()].map((tagKey) => ({ tagKey, tagValue: '' })))
  for (const pointer of sessionTags.values()) {
    if (!/^(?:\/(?:[^~/]|~[01])*)+$/.test(pointer)) {
      fail('ValidationException', `${pointer} is not a JSON pointer to a claim.`)
    }
  }
}

/**
 * The part of a provider of an account that requests give.
 *
 * @throws KmsError ValidationException for a default role of another account.
 */
export function saidOfProvider(request: ProviderRequest, account: string) {
  const { clientIdList: audiences, jwks, defaultRoleArn, sessionTags } = request
  if (defaultRoleArn !== undefined && parsePrincipalArn(defaultRoleArn)?.account !== account) {
    fail('ValidationException', `${defaultRoleArn} is not a role of the account ${account}.`)
  }
  return { audiences: [...audiences], jwks, defaultRoleArn, sessionTags }
}

/** @throws KmsError NoSuchEntityException if there is none. */
export async function existingProvider(store: Store, arn: string): Promise<IdentityProvider> {
  return (await store.identities.providers.find(arn)) ?? noProvider(arn)
}

/** Says that there is no such provider. */
export function noProvider(arn: string): never {
  fail('NoSuchEntityException', `OpenIDConnect Provider not found for arn ${arn}`)
}

function isKeySet(text: string): boolean {
  if (!text.trimStart().startsWith('{')) return false
  try {
    const { keys }: { keys?: unknown } = JSON.parse(text)
    return Array.isArray(keys)
  } catch {
    return false
  }
}

function isUrl(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text)
}

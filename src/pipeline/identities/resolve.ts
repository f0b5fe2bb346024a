/** Finds the principals that requests name. */

import { rootArn } from '../../model/arn.ts'
import type { Caller } from '../../model/caller.ts'
import { fail } from '../../model/failures.ts'
import type { Principal } from '../../model/identities/principal.ts'
import { parsePrincipalArn, principalArn, providerArn } from '../../model/identities/principal.ts'
import type { PrincipalQuery, PrincipalResource } from '../../operations/principals.ts'
import type { Store } from '../../store/store.ts'

/**
 * The principal that a request names, in the caller's account, whether it exists or not.
 *
 * @throws KmsError ValidationException for a caller who has no name of its own to mean, or the ARN
 *   of a provider that is none.
 */
export async function resolvePrincipal(
  { identities }: Pick<Store, 'identities'>,
  query: PrincipalQuery,
  caller: Caller,
): Promise<PrincipalResource> {
  const { account } = caller
  if (query.kind === 'provider') {
    const arn = 'arn' in query ? query.arn : providerArn(account, query.issuer)
    const [, , , , owner = ''] = arn.split(':')
    if (!arn.startsWith(providerArn(owner, ''))) {
      fail('ValidationException', `${arn} is not the ARN of an identity provider.`)
    }
    return { kind: 'provider', arn, account: owner, name: arn }
  }
  if (query.kind === 'self') return resolveSelf({ identities }, caller)
  const { kind, name, path = '/' } = query
  const principal = await identities.principals.named({ account, kind }, name)
  const arn = principal?.arn ?? principalArn(kind, { account, path, name })
  return { kind, arn, account, name, principal }
}

async function resolveSelf(
  { identities }: Pick<Store, 'identities'>,
  { kind, account, principalId = '' }: Caller,
): Promise<PrincipalResource> {
  if (kind === 'root') return { kind, arn: rootArn(account), account, name: account }
  const principal = kind === 'user' ? await identities.principals.find(principalId) : undefined
  if (principal === undefined) {
    fail('ValidationException', 'Must specify userName when calling with non-User credentials')
  }
  return { kind: 'user', arn: principal.arn, account, name: principal.name, principal }
}

/** The role of an ARN, in whatever account; `undefined` if there is none. */
export async function roleOf(
  { identities }: Pick<Store, 'identities'>,
  arn: string,
): Promise<Principal | undefined> {
  const named = parsePrincipalArn(arn)
  if (named?.kind !== 'role') return undefined
  const { account, name } = named
  const role = await identities.principals.named({ account, kind: 'role' }, name)
  return role?.arn === arn ? role : undefined
}

/** The making of users and roles. */

import { fail } from '../../model/failures.ts'
import { newPrincipalId, type Principal, principalArn } from '../../model/identities/principal.ts'
import { ROLES_MAX, USERS_MAX } from '../../model/quotas.ts'
import type { Store } from '../../store/store.ts'
import type { PrincipalResource } from '../principals.ts'

/** What a request says of a new user or role. */
type NewPrincipal = Pick<
  Principal,
  'path' | 'description' | 'boundary' | 'trust' | 'sessionSecondsMax' | 'createdMs'
> & { readonly tags: readonly { readonly key: string; readonly value: string }[] }

/**
 * Makes a user or a role.
 *
 * @throws KmsError EntityAlreadyExistsException, LimitExceededException.
 */
export async function insertPrincipal(
  store: Store,
  { kind, name, account }: PrincipalResource & { readonly kind: 'user' | 'role' },
  made: NewPrincipal,
): Promise<Principal> {
  const principal: Principal = {
    ...made,
    principalId: newPrincipalId(kind),
    account,
    kind,
    name,
    arn: principalArn(kind, { account, path: made.path, name }),
    tags: new Map(made.tags.map(({ key, value }) => [key, value])),
    policies: [],
  }
  const most = kind === 'user' ? USERS_MAX : ROLES_MAX
  const outcome = await store.identities.principals.insert(principal, most)
  if (outcome === 'exists') {
    fail('EntityAlreadyExistsException', `There is a ${kind} with name ${name} already.`)
  }
  if (outcome === 'full') {
    fail('LimitExceededException', `The account has ${most} ${kind}s already.`)
  }
  return principal
}

/** What operations on users and roles share. */

import type { Place } from '../../model/arn.ts'
import { fail } from '../../model/failures.ts'
import type { NamedPolicy, Principal } from '../../model/identities/principal.ts'
import { tagsWith, tagsWithout } from '../../model/identities/tags.ts'
import { POLICIES_PER_PRINCIPAL_MAX, TAGS_PER_PRINCIPAL_MAX } from '../../model/quotas.ts'
import { compilePolicy } from '../../policy/document.ts'
import type { Store } from '../../store/store.ts'
import { page } from '../page.ts'
import type { PrincipalResource } from '../principals.ts'
import { checkTags } from '../tags/tag-rules.ts'

/** A tag as requests have it. */
interface WireTag {
  readonly key: string
  readonly value: string
}

/**
 * The user or role that a request names.
 *
 * @throws KmsError NoSuchEntityException if there is none.
 */
export function existing({ kind, name, principal }: PrincipalResource): Principal {
  return (
    principal ?? fail('NoSuchEntityException', `The ${kind} with name ${name} cannot be found.`)
  )
}

/**
 * Changes the user or role that a request names.
 *
 * @throws KmsError NoSuchEntityException if there is none.
 */
export async function change(
  store: Store,
  resource: PrincipalResource,
  edit: (principal: Principal) => Principal,
): Promise<Principal> {
  const { principalId } = existing(resource)
  const changed = await store.identities.principals.change(principalId, edit)
  return changed ?? existing({ ...resource, principal: undefined })
}

/** Refuses tags that no principal may have, of names that differ in case only among them. */
export function checkPrincipalTags(tags: readonly WireTag[]): void {
  checkTags(tags.map(({ key, value }) => ({ tagKey: key.toLowerCase(), tagValue: value })))
}

/** What policies may decide on in a request with tags. */
export function tagConditions(tags: readonly WireTag[]) {
  return {
    'aws:RequestTag': new Map(tags.map(({ key, value }) => [key, value])),
    'aws:TagKeys': tags.map(({ key }) => key),
  }
}

/** Tags of a principal with these added. */
export function withTags(principal: Principal, tags: readonly WireTag[]): Principal {
  const all = tagsWith(principal.tags, new Map(tags.map(({ key, value }) => [key, value])))
  if (all.size > TAGS_PER_PRINCIPAL_MAX) {
    fail('LimitExceededException', `${principal.arn} may have ${TAGS_PER_PRINCIPAL_MAX} tags.`)
  }
  return { ...principal, tags: all }
}

/** A principal without tags of these keys. */
export function withoutTags(principal: Principal, tagKeys: readonly string[]): Principal {
  return { ...principal, tags: tagsWithout(principal.tags, tagKeys) }
}

/** A principal with this policy added, or put in the place of the one of its name. */
export function withPolicy(principal: Principal, policy: NamedPolicy): Principal {
  const others = principal.policies.filter(({ name }) => name !== policy.name)
  if (others.length >= POLICIES_PER_PRINCIPAL_MAX) {
    const most = `${POLICIES_PER_PRINCIPAL_MAX} policies`
    fail('LimitExceededException', `${principal.arn} may have ${most}.`)
  }
  const policies = [...others, policy].sort((a, b) => (a.name < b.name ? -1 : 1))
  return { ...principal, policies }
}

/** The policy of this name. */
export function policyOf(principal: Principal, policyName: string): NamedPolicy {
  const found = principal.policies.find(({ name }) => name === policyName)
  const what = `The ${principal.kind} policy with name ${policyName} cannot be found.`
  return found ?? fail('NoSuchEntityException', what)
}

/** A principal without the policy of this name. */
export function withoutPolicy(principal: Principal, policyName: string): Principal {
  const gone = policyOf(principal, policyName)
  return { ...principal, policies: principal.policies.filter((each) => each !== gone) }
}

/** A page of the names of a principal's inline policies. */
export async function policyNamesOf(
  operation: 'ListUserPolicies' | 'ListRolePolicies',
  resource: PrincipalResource,
  {
    request,
    home,
  }: {
    readonly request: { readonly limit?: number; readonly marker?: string }
    readonly home: Place
  },
) {
  const { policies, principalId } = existing(resource)
  const { items, ...rest } = await page({
    query: { operation, place: home, filter: principalId },
    request,
    defaultLimit: 100,
    limitMax: 1000,
    read: async ({ after = '' }) => policies.filter(({ name }) => name > after),
    keyOf: ({ name }) => name,
  })
  return { policyNames: items.map(({ name }) => name), ...rest }
}

/** Refuses what is not an identity policy. */
export function checkIdentityPolicy(text: string): void {
  compilePolicy(text, 'identity')
}

/** Refuses what is not a permissions boundary. */
export function checkBoundary(text: string | undefined): void {
  if (text !== undefined) compilePolicy(text, 'boundary')
}

/** Removes a user or a role. */
export async function remove(store: Store, resource: PrincipalResource): Promise<void> {
  const { principalId } = existing(resource)
  const outcome = await store.identities.principals.remove(principalId)
  if (outcome === 'gone') existing({ ...resource, principal: undefined })
  if (outcome === 'in use') {
    const keys = resource.kind === 'user' ? 'access keys and ' : ''
    fail(
      'DeleteConflictException',
      `Cannot delete ${resource.arn}: delete its ${keys}policies first.`,
    )
  }
}

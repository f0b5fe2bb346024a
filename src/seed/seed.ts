/**
 * The seed: accounts, principals and keys that are to be there, in a YAML file. Applied at every
 * start: what is missing is made, what differs is changed, and what the seed does not speak of is
 * left alone. All of it goes through the pipeline, as the root of the account, and on the record.
 */

import { randomUUID } from 'node:crypto'
import { dirname, resolve } from 'node:path'
import { rootArn } from '../model/arn.ts'
import type { Caller } from '../model/caller.ts'
import { KmsError } from '../model/failures.ts'
import type { OperationName, Operations } from '../operations/operation.ts'
import type { Pipeline } from '../pipeline/call.ts'
import type { AccountSeed } from './account-seed.ts'
import { seedKey } from './keys.ts'
import { seedAccessKey, seedProvider, seedRole, seedUser } from './principals.ts'
import { itemsOf, membersOf, type Place, readYaml, refuse, SeedError, textOf } from './yaml.ts'

/** Where a seed is applied. */
export interface SeedParts {
  readonly pipeline: Pipeline
  /** The installation's first account, whose root makes the others. */
  readonly operator: string
}

const MISSING: readonly string[] = ['NoSuchEntityException', 'NotFoundException']

/**
 * Applies a seed.
 *
 * @throws SeedError with file and line, and what is wrong there.
 */
export async function applySeed(path: string, parts: SeedParts): Promise<void> {
  const root = membersOf(readYaml(path), ['accounts'])
  for (const place of itemsOf(root.get('accounts'))) await seedAccount(place, parts)
}

async function seedAccount(place: Place, { pipeline, operator }: SeedParts): Promise<void> {
  const members = membersOf(place, [
    'id',
    'name',
    'users',
    'roles',
    'identityProviders',
    'keys',
    'rootAccessKeys',
  ])
  const id = members.get('id')
  const account = id ? textOf(id) : refuse(place, 'an account needs an id')
  const resolvePath = (file: string) => resolve(dirname(place.path), file)
  const seedOf = (of: string): AccountSeed => ({
    call: (name, request) => callAs(pipeline, of, name, request),
    find: (name, request) =>
      callAs(pipeline, of, name, request).catch((error: unknown) => {
        if (error instanceof KmsError && MISSING.includes(error.name)) return undefined
        throw error
      }),
    resolvePath,
  })
  const name = members.get('name')
  const accountName = name ? textOf(name) : account
  await at(id ?? place, () =>
    seedOf(operator)
      .call('CreateAccount', { account, accountName })
      .catch((error: unknown) => {
        const isThere = error instanceof KmsError && error.name === 'EntityAlreadyExistsException'
        if (!isThere) throw error
      }),
  )
  const seed = seedOf(account)
  const apply = async (
    list: Place | undefined,
    one: (seed: AccountSeed, place: Place) => Promise<void>,
  ) => {
    for (const item of itemsOf(list)) await at(item, () => one(seed, item))
  }
  // Roles may trust users, and providers may name roles; keys may name all of them.
  await apply(members.get('rootAccessKeys'), (to, key) => seedAccessKey(to, key))
  await apply(members.get('users'), seedUser)
  await apply(members.get('roles'), seedRole)
  await apply(members.get('identityProviders'), seedProvider)
  await apply(members.get('keys'), seedKey)
}

function callAs<N extends OperationName>(
  pipeline: Pipeline,
  account: string,
  name: N,
  request: Operations[N]['request'],
): Promise<Operations[N]['response']> {
  const root: Caller = {
    arn: rootArn(account),
    account,
    kind: 'root',
    principalId: account,
  }
  return pipeline.call(name, {
    door: 'seed',
    requestId: randomUUID(),
    authenticate: () => root,
    request: () => request,
    limits: {},
  })
}

/** Has failures say where in the seed they come from. */
async function at(place: Place, apply: () => Promise<unknown>): Promise<void> {
  try {
    await apply()
  } catch (error) {
    if (!(error instanceof KmsError)) throw error
    throw new SeedError(`${place.at}: ${error.name}: ${error.message}`, { cause: error })
  }
}

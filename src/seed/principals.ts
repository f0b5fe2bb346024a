/** Users, roles, access keys and identity providers of a seed. */

import type { AccountSeed } from './account-seed.ts'
import {
  documentOf,
  fileOf,
  itemsOf,
  membersOf,
  optional,
  type Place,
  refuse,
  required,
  textOf,
  textsOf,
} from './yaml.ts'

/** Makes a user as the seed has it, with its policies and access keys. */
export async function seedUser(seed: AccountSeed, place: Place): Promise<void> {
  const members = membersOf(place, ['name', 'path', 'tags', 'boundary', 'policies', 'accessKeys'])
  const userName = required(place, members, 'name')
  const path = optional(members.get('path'))
  const boundary = members.get('boundary')
  const tags = tagsOf(members.get('tags'))
  if (!(await seed.find('GetUser', { userName }))) {
    await seed.call('CreateUser', { userName, path, tags })
  }
  if (tags.length > 0) await seed.call('TagUser', { userName, tags })
  if (boundary) {
    const permissionsBoundary = documentOf(boundary)
    await seed.call('PutUserPermissionsBoundary', { userName, permissionsBoundary })
  }
  for (const [policyName, policyDocument] of policiesOf(members.get('policies'))) {
    await seed.call('PutUserPolicy', { userName, policyName, policyDocument })
  }
  for (const key of itemsOf(members.get('accessKeys'))) await seedAccessKey(seed, key, userName)
}

/** Makes a role as the seed has it, with its policies. */
export async function seedRole(seed: AccountSeed, place: Place): Promise<void> {
  const members = membersOf(place, [
    'name',
    'path',
    'description',
    'trust',
    'maxSessionDuration',
    'tags',
    'boundary',
    'policies',
  ])
  const roleName = required(place, members, 'name')
  const trust = members.get('trust') ?? refuse(place, 'a role needs a trust policy: trust')
  const policyDocument = documentOf(trust)
  const tags = tagsOf(members.get('tags'))
  if (await seed.find('GetRole', { roleName })) {
    await seed.call('UpdateAssumeRolePolicy', { roleName, policyDocument })
    if (tags.length > 0) await seed.call('TagRole', { roleName, tags })
  } else {
    await seed.call('CreateRole', {
      roleName,
      path: optional(members.get('path')),
      description: optional(members.get('description')) ?? '',
      assumeRolePolicyDocument: policyDocument,
      maxSessionDuration: Number(optional(members.get('maxSessionDuration')) ?? '3600'),
      tags,
    })
  }
  const boundary = members.get('boundary')
  if (boundary) {
    const permissionsBoundary = documentOf(boundary)
    await seed.call('PutRolePermissionsBoundary', { roleName, permissionsBoundary })
  }
  for (const [policyName, document] of policiesOf(members.get('policies'))) {
    await seed.call('PutRolePolicy', { roleName, policyName, policyDocument: document })
  }
}

/** Makes an access key whose id and secret are known; of the root if no user is named. */
export async function seedAccessKey(
  seed: AccountSeed,
  place: Place,
  userName?: string,
): Promise<void> {
  const members = membersOf(place, ['id', 'secret', 'secretFile'])
  const accessKeyId = required(place, members, 'id')
  const { accessKeyMetadata } = await seed.call('ListAccessKeys', { userName })
  if (accessKeyMetadata.some((key) => key.accessKeyId === accessKeyId)) return
  const file = members.get('secretFile')
  const secretAccessKey = file ? fileOf(file, seed.resolvePath) : required(place, members, 'secret')
  await seed.call('CreateAccessKey', { userName, accessKeyId, secretAccessKey })
}

/** Makes an identity provider as the seed has it. */
export async function seedProvider(seed: AccountSeed, place: Place): Promise<void> {
  const members = membersOf(place, [
    'url',
    'audiences',
    'jwks',
    'jwksFile',
    'defaultRole',
    'sessionTags',
  ])
  const url = required(place, members, 'url')
  const file = members.get('jwksFile')
  const said = {
    clientIdList: itemsOf(members.get('audiences')).map(textOf),
    jwks: file ? fileOf(file, seed.resolvePath) : required(place, members, 'jwks'),
    defaultRoleArn: optional(members.get('defaultRole')),
    sessionTags: textsOf(members.get('sessionTags')),
  }
  const { openIdConnectProviderList } = await seed.call('ListOpenIDConnectProviders', {
    limit: 1000,
  })
  const issuer = url.replace(/^https?:\/\//, '')
  const found = openIdConnectProviderList.find(({ arn }) =>
    arn.endsWith(`:oidc-provider/${issuer}`),
  )
  if (!found) await seed.call('CreateOpenIDConnectProvider', { url, ...said })
  else {
    const { arn: openIdConnectProviderArn } = found
    await seed.call('UpdateOpenIDConnectProvider', { openIdConnectProviderArn, ...said })
  }
}

function tagsOf(place: Place | undefined): { readonly key: string; readonly value: string }[] {
  return [...textsOf(place)].map(([key, value]) => ({ key, value }))
}

function policiesOf(place: Place | undefined): readonly (readonly [string, string])[] {
  const members = place ? membersOf(place) : new Map<string, Place>()
  return [...members].map(([name, policy]) => [name, documentOf(policy)])
}

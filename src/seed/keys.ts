/** Keys of a seed, each known by its alias. */

import type { AccountSeed } from './account-seed.ts'
import { documentOf, membersOf, optional, type Place, required, textsOf } from './yaml.ts'

/** Makes a key as the seed has it, with its alias. */
export async function seedKey(seed: AccountSeed, place: Place): Promise<void> {
  const members = membersOf(place, ['alias', 'description', 'policy', 'tags', 'rotation'])
  const aliasName = required(place, members, 'alias')
  const description = optional(members.get('description')) ?? ''
  const policy = members.get('policy')
  const tags = [...textsOf(members.get('tags'))].map(([tagKey, tagValue]) => ({ tagKey, tagValue }))
  const found = await seed.find('DescribeKey', { keyId: aliasName, grantTokens: [] })
  let keyId = found?.keyMetadata?.keyId
  if (keyId === undefined) {
    const { keyMetadata } = await seed.call('CreateKey', {
      policy: policy ? documentOf(policy) : '',
      description,
      bypassPolicyLockoutSafetyCheck: false,
      tags,
      multiRegion: false,
    })
    keyId = keyMetadata?.keyId ?? ''
    await seed.call('CreateAlias', { aliasName, targetKeyId: keyId })
  } else {
    if (found?.keyMetadata?.description !== description) {
      await seed.call('UpdateKeyDescription', { keyId, description })
    }
    if (tags.length > 0) await seed.call('TagResource', { keyId, tags })
    if (policy) await putPolicy(seed, keyId, documentOf(policy))
  }
  const rotation = optional(members.get('rotation'))
  if (rotation === 'true') await seed.call('EnableKeyRotation', { keyId })
}

async function putPolicy(seed: AccountSeed, keyId: string, policy: string): Promise<void> {
  const policyName = 'default'
  const { policy: now } = await seed.call('GetKeyPolicy', { keyId, policyName })
  if (now === policy) return
  const bypassPolicyLockoutSafetyCheck = false
  await seed.call('PutKeyPolicy', { keyId, policyName, policy, bypassPolicyLockoutSafetyCheck })
}

/**
 * What AWS KMS asks of tags.
 * https://docs.aws.amazon.com/kms/latest/developerguide/tagging-keys.html
 */

import { fail } from '../../model/failures.ts'
import type { Tag } from '../../model/key.ts'
import { TAGS_PER_KEY_MAX } from '../../model/quotas.ts'
import type { Conditions } from '../operation.ts'

interface WireTag {
  readonly tagKey: string
  readonly tagValue: string
}

/**
 * Refuses tags that no key may have.
 *
 * @throws KmsError TagException for reserved, repeated or too many tags.
 */
export function checkTags(tags: readonly WireTag[]): void {
  const keys = tags.map(({ tagKey }) => tagKey)
  checkTagKeys(keys)
  if (new Set(keys).size < keys.length) fail('TagException', 'A tag key is given more than once.')
  if (keys.length > TAGS_PER_KEY_MAX) {
    fail('TagException', `A key has at most ${TAGS_PER_KEY_MAX} tags.`)
  }
}

/**
 * Refuses keys of tags that are AWS's own, to put as well as to remove.
 *
 * @throws KmsError TagException.
 */
export function checkTagKeys(keys: readonly string[]): void {
  if (keys.some((key) => key.toLowerCase().startsWith('aws:'))) {
    fail('TagException', "Tag keys must not begin with 'aws:'.")
  }
}

/** What policies may decide on where a request gives tags. */
export function tagConditions(tags: readonly WireTag[]): Conditions {
  return {
    'aws:TagKeys': tags.map(({ tagKey }) => tagKey),
    'aws:RequestTag': new Map(tags.map(({ tagKey, tagValue }) => [tagKey, tagValue])),
  }
}

/** The tags of a request as the store keeps them. */
export function tagsOf(tags: readonly WireTag[]): readonly Tag[] {
  return tags.map(({ tagKey, tagValue }) => ({ key: tagKey, value: tagValue }))
}

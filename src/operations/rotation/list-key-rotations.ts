/** ListKeyRotations. */

import { type BackingKey, currentBackingKey, type Key } from '../../model/key.ts'
import { anyState, keyById, operation } from '../operation.ts'
import { page } from '../page.ts'
import { checkRotates } from './rotation-rules.ts'

/**
 * Lists the rotations of a key, oldest first; with ALL_KEY_MATERIAL the first material too.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeyRotations.html
 */
export const ListKeyRotations = operation('ListKeyRotations', {
  needs: { key: keyById({ aliases: false, states: anyState, grantable: false }) },
  changes: false,

  async run({ request, key }) {
    checkRotates(key)
    const all = request.includeKeyMaterial === 'ALL_KEY_MATERIAL'
    const listed = key.backingKeys.filter(({ rotationType }) => all || rotationType !== undefined)
    const { items, ...rest } = await page({
      query: {
        operation: 'ListKeyRotations',
        place: key,
        filter: `${key.keyId} ${request.includeKeyMaterial}`,
      },
      request,
      defaultLimit: 100,
      limitMax: 1000,
      read: async ({ after = '0', limit }) =>
        listed.filter(({ number }) => number > Number(after)).slice(0, limit),
      keyOf: ({ number }) => String(number),
    })
    return { rotations: items.map((item) => rotationEntry(key, item, all)), ...rest }
  },
})

/** AWS tells of the material itself only when it was asked for. */
function rotationEntry(key: Key, backingKey: BackingKey, all: boolean) {
  const isCurrent = backingKey.id === currentBackingKey(key).id
  return {
    keyId: key.arn,
    keyMaterialId: backingKey.materialId,
    keyMaterialState: all
      ? isCurrent
        ? ('CURRENT' as const)
        : ('NON_CURRENT' as const)
      : undefined,
    rotationDate: backingKey.rotationType && new Date(backingKey.createdMs),
    rotationType: backingKey.rotationType,
  }
}

/** ListKeyRotations. */

import type { BackingKey, Key } from '../../model/key.ts'
import { anyState, keyById, operation } from '../operation.ts'
import { page } from '../page.ts'
import { importEntry, stateOf } from './material-state.ts'
import { checkRotates } from './rotation-rules.ts'

/**
 * Lists the rotations of a key, oldest first; with ALL_KEY_MATERIAL the first material too, and
 * imported material that waits for its rotation.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeyRotations.html
 */
export const ListKeyRotations = operation('ListKeyRotations', {
  needs: {
    key: keyById({ aliases: false, checkKind: checkRotates, states: anyState, grantable: false }),
  },
  changes: false,

  async run({ request, key }) {
    const all = request.includeKeyMaterial === 'ALL_KEY_MATERIAL'
    const { backingKeys, pendingRotation } = key
    const listed = all
      ? [...backingKeys, ...(pendingRotation ? [pendingRotation] : [])]
      : backingKeys.filter(({ rotationType }) => rotationType !== undefined)
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
function rotationEntry(key: Key, material: BackingKey, all: boolean) {
  return {
    keyId: key.keyId,
    keyMaterialId: material.materialId,
    keyMaterialState: all ? stateOf(key, material) : undefined,
    rotationDate: material.rotationType && new Date(material.createdMs),
    rotationType: material.rotationType,
    ...(all && importEntry(material)),
  }
}

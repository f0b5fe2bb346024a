/** What a rotation entry says of the material itself. */

import type { BackingKey, Key } from '../../model/key.ts'

/** What a material is used for now: AWS's KeyMaterialState. */
export function stateOf(
  { backingKeys, pendingRotation }: Key,
  { id }: BackingKey,
): 'CURRENT' | 'NON_CURRENT' | 'PENDING_ROTATION' {
  if (id === pendingRotation?.id) return 'PENDING_ROTATION'
  return id === backingKeys.at(-1)?.id ? 'CURRENT' : 'NON_CURRENT'
}

/** What is told of imported material only: whether it is there, and when it ends. */
export function importEntry({ imported }: BackingKey) {
  if (imported === undefined) return {}
  const { isPresent, validToMs, description } = imported
  return {
    importState: isPresent ? ('IMPORTED' as const) : ('PENDING_IMPORT' as const),
    keyMaterialDescription: description === '' ? undefined : description,
    expirationModel: expirationModel(isPresent, validToMs),
    validTo: validToMs === undefined ? undefined : new Date(validToMs),
  }
}

function expirationModel(isPresent: boolean, validToMs: number | undefined) {
  if (!isPresent) return undefined
  return validToMs === undefined
    ? ('KEY_MATERIAL_DOES_NOT_EXPIRE' as const)
    : ('KEY_MATERIAL_EXPIRES' as const)
}

/** Which keys take imported material, and how it may travel. */

import { fail } from '../../model/failures.ts'
import {
  WRAPPING_ALGORITHMS,
  WRAPPING_KEY_BITS,
  type WrappingAlgorithm,
  type WrappingKeySpec,
} from '../../model/import/wrapping.ts'
import type { BackingKey, Key, KeyState } from '../../model/key.ts'

/** The states in which a key takes material. */
export const takesMaterial: readonly KeyState[] = ['Enabled', 'Disabled', 'PendingImport']

/**
 * Refuses keys whose material is not imported.
 *
 * @throws KmsError UnsupportedOperationException.
 */
export function checkImports(key: Key): void {
  if (key.origin === 'EXTERNAL') return
  const what = `origin is ${key.origin} which is not valid for this operation`
  fail('UnsupportedOperationException', `${key.arn} ${what}.`)
}

/** What operations that bring key material need of their key. */
export const takingMaterial = {
  aliases: false,
  checkKind: checkImports,
  states: takesMaterial,
  grantable: false,
} as const

/**
 * The way in which material will travel.
 *
 * @throws KmsError UnsupportedOperationException for what AWS has withdrawn, and for SM2.
 */
export function wrappingOf(request: {
  readonly wrappingAlgorithm?: string
  readonly wrappingKeySpec?: string
}): { readonly algorithm: WrappingAlgorithm; readonly spec: WrappingKeySpec } {
  const { wrappingAlgorithm = '', wrappingKeySpec = '' } = request
  if (!isIn(WRAPPING_ALGORITHMS, wrappingAlgorithm)) return refuse(wrappingAlgorithm)
  if (!isIn(WRAPPING_KEY_BITS, wrappingKeySpec)) return refuse(wrappingKeySpec)
  return { algorithm: wrappingAlgorithm, spec: wrappingKeySpec }
}

/**
 * Refuses a way in which the material of a key cannot travel: private keys of RSA are too long for
 * OAEP, and that of P-521 for the shortest wrapping key.
 *
 * @throws KmsError UnsupportedOperationException.
 */
export function checkFits(
  { arn, spec: keySpec }: Key,
  { algorithm, spec }: ReturnType<typeof wrappingOf>,
): void {
  const isOaep = !WRAPPING_ALGORITHMS[algorithm].throughAes
  const isTooLong =
    keySpec.startsWith('RSA_') || (keySpec === 'ECC_NIST_P521' && spec === 'RSA_2048')
  if (!isOaep || !isTooLong) return
  const what = `${algorithm} with ${spec} is not supported for ${keySpec}`
  fail('UnsupportedOperationException', `${arn}: ${what}.`)
}

function isIn<Table extends object>(table: Table, name: string): name is keyof Table & string {
  return Object.hasOwn(table, name)
}

function refuse(what: string): never {
  return fail('UnsupportedOperationException', `${what} is not supported for the import.`)
}

/**
 * Refuses what can be said of the material of symmetric encryption keys only.
 *
 * @throws KmsError UnsupportedOperationException; ValidationException for an id of new material.
 */
export function checkMaterialMembers(
  key: Key,
  request: {
    readonly importType?: string
    readonly keyMaterialId?: string
    readonly keyMaterialDescription?: string
  },
): void {
  const { importType, keyMaterialId, keyMaterialDescription } = request
  const given = importType ?? keyMaterialId ?? keyMaterialDescription
  if (given !== undefined && key.spec !== 'SYMMETRIC_DEFAULT') {
    const members = 'ImportType, KeyMaterialId and KeyMaterialDescription'
    fail('UnsupportedOperationException', `${members} are for symmetric encryption keys only.`)
  }
  if (importType === 'NEW_KEY_MATERIAL' && keyMaterialId !== undefined) {
    fail('ValidationException', 'KeyMaterialId cannot be given for new key material.')
  }
}

/**
 * The material of a key that a request names, or else the current one.
 *
 * @returns `undefined` if none is named and the key has none.
 * @throws KmsError NotFoundException if the key has none of this id.
 */
export function materialOf(key: Key, materialId: string | undefined): BackingKey | undefined {
  if (materialId === undefined) return key.backingKeys.at(-1)
  const all = [...key.backingKeys, key.pendingRotation]
  const found = all.find((material) => material?.materialId === materialId)
  return found ?? fail('NotFoundException', `${key.arn} has no key material ${materialId}.`)
}

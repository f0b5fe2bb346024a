/** DeleteImportedKeyMaterial. */

import type { KeyState } from '../../model/key.ts'
import { keyById, operation } from '../operation.ts'
import { checkImports, materialOf, takesMaterial } from './import-rules.ts'

const states: readonly KeyState[] = [...takesMaterial, 'PendingDeletion']

/**
 * Destroys imported key material. The key stays, waits for the same material, and is of no use
 * until it is imported again; material that waits for its rotation is forgotten instead.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_DeleteImportedKeyMaterial.html
 */
export const DeleteImportedKeyMaterial = operation('DeleteImportedKeyMaterial', {
  needs: { key: keyById({ aliases: false, checkKind: checkImports, states, grantable: false }) },
  changes: true,

  async run({ request, key, lifecycle }) {
    await lifecycle.expireMaterial(key)
    const material = materialOf(key, request.keyMaterialId)
    if (material?.imported?.isPresent) await lifecycle.removeMaterial(key, material)
    const keyMaterialId = key.spec === 'SYMMETRIC_DEFAULT' ? material?.materialId : undefined
    return { keyId: key.arn, keyMaterialId }
  },
})

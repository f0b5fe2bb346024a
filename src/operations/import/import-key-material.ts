/** ImportKeyMaterial. */

import { keyById, operation } from '../operation.ts'
import { checkExpiry, checkNotTooLate } from './expiry-rules.ts'
import { checkMaterialMembers, takingMaterial } from './import-rules.ts'

/**
 * Imports key material into a key of origin EXTERNAL, or imports it again. It is unwrapped inside
 * the HSM.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_ImportKeyMaterial.html
 */
export const ImportKeyMaterial = operation('ImportKeyMaterial', {
  needs: { key: keyById(takingMaterial) },
  changes: true,

  check(request) {
    checkExpiry(request)
  },

  conditions: ({ expirationModel, validTo }) => ({
    'kms:ExpirationModel': expirationModel,
    'kms:ValidTo': validTo?.toISOString(),
  }),

  async run({ request, key, lifecycle, clock }) {
    checkMaterialMembers(key, request)
    checkNotTooLate(request, clock())
    const materialId = await lifecycle.importMaterial(key, {
      importToken: request.importToken,
      encryptedKeyMaterial: request.encryptedKeyMaterial,
      validToMs: request.validTo?.getTime(),
      type: request.importType,
      description: request.keyMaterialDescription,
      materialId: request.keyMaterialId,
    })
    const keyMaterialId = key.spec === 'SYMMETRIC_DEFAULT' ? materialId : undefined
    return { keyId: key.arn, keyMaterialId }
  },
})

/** GetParametersForImport. */

import { keyById, operation } from '../operation.ts'
import { checkFits, takingMaterial, wrappingOf } from './import-rules.ts'

/**
 * Makes a wrapping key inside the HSM and a token for the import of key material: good for one
 * import within 24 hours.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_GetParametersForImport.html
 */
export const GetParametersForImport = operation('GetParametersForImport', {
  needs: { key: keyById(takingMaterial) },
  changes: true,

  check(request) {
    wrappingOf(request)
  },

  conditions: ({ wrappingAlgorithm, wrappingKeySpec }) => ({
    'kms:WrappingAlgorithm': wrappingAlgorithm,
    'kms:WrappingKeySpec': wrappingKeySpec,
  }),

  async run({ request, key, lifecycle }) {
    const how = wrappingOf(request)
    checkFits(key, how)
    const { publicKey, importToken, validToMs } = await lifecycle.prepareImport(key, how)
    return { keyId: key.arn, importToken, publicKey, parametersValidTo: new Date(validToMs) }
  },
})

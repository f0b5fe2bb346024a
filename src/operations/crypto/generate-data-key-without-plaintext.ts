/** GenerateDataKeyWithoutPlaintext. */

import { currentBackingKey } from '../../model/key.ts'
import { keyById, operation } from '../operation.ts'
import { encryptionConditions, encryptionKey } from './algorithms.ts'
import { dataKeyBytes, prepareDataKey } from './data-keys.ts'

/**
 * Makes a data key and answers it encrypted only; its plaintext is never in a door's memory.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKeyWithoutPlaintext.html
 */
export const GenerateDataKeyWithoutPlaintext = operation('GenerateDataKeyWithoutPlaintext', {
  needs: { key: keyById({ ...encryptionKey, aliases: true }) },
  changes: false,

  check(request) {
    dataKeyBytes(request)
  },

  conditions: ({ encryptionContext }) =>
    encryptionConditions({ encryptionAlgorithm: 'SYMMETRIC_DEFAULT', encryptionContext }),

  rehearse: prepareDataKey,

  async run({ request, key, hsm, lifecycle, limits }) {
    const { context, numberOfBytes } = prepareDataKey({ request, key })
    const spent = await lifecycle.spendMessage(key)
    const ciphertextBlob = await hsm.generateDataKeyWithoutPlaintext(
      spent,
      { numberOfBytes, context },
      limits,
    )
    return {
      ciphertextBlob,
      keyId: key.arn,
      keyMaterialId: currentBackingKey(spent).materialId,
    }
  },
})

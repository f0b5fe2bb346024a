/** GenerateDataKeyWithoutPlaintext. */

import { canonicalContext } from '../../model/encryption-context.ts'
import { currentBackingKey } from '../../model/key.ts'
import { keyById, operation } from '../operation.ts'
import { encryptionAlgorithm, encryptionKey } from './algorithms.ts'
import { dataKeyBytes } from './data-keys.ts'

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

  conditions: ({ encryptionContext }) => ({
    'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT',
    'kms:EncryptionContext': encryptionContext,
  }),

  async run({ request, key, hsm, lifecycle, limits }) {
    encryptionAlgorithm(key)
    const context = canonicalContext(request.encryptionContext)
    const spent = await lifecycle.spendMessage(key)
    const input = { numberOfBytes: dataKeyBytes(request), context }
    const ciphertextBlob = await hsm.generateDataKeyWithoutPlaintext(spent, input, limits)
    return {
      ciphertextBlob,
      keyId: key.arn,
      keyMaterialId: currentBackingKey(spent).materialId,
    }
  },
})

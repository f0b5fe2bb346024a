/** GenerateDataKey. */

import { canonicalContext } from '../../model/encryption-context.ts'
import { currentBackingKey } from '../../model/key.ts'
import { keyById, operation } from '../operation.ts'
import { encryptionAlgorithm, encryptionKey } from './algorithms.ts'
import { dataKeyBytes } from './data-keys.ts'
import { refuseRecipient } from './recipient.ts'

/**
 * Makes a data key in the token: its plaintext, and the same encrypted under a KMS key. keyslot
 * keeps neither.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html
 */
export const GenerateDataKey = operation('GenerateDataKey', {
  needs: { key: keyById({ ...encryptionKey, aliases: true }) },
  changes: false,

  check(request) {
    dataKeyBytes(request)
    refuseRecipient(request.recipient)
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
    const dataKey = await hsm.generateDataKey(spent, input, limits)
    return { ...dataKey, keyId: key.arn, keyMaterialId: currentBackingKey(spent).materialId }
  },
})

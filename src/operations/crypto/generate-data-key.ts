/** GenerateDataKey. */

import { currentBackingKey } from '../../model/key.ts'
import { keyById, operation } from '../operation.ts'
import { encryptionConditions, encryptionKey } from './algorithms.ts'
import { dataKeyBytes, prepareDataKey } from './data-keys.ts'
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

  conditions: ({ encryptionContext }) =>
    encryptionConditions({ encryptionAlgorithm: 'SYMMETRIC_DEFAULT', encryptionContext }),

  rehearse: prepareDataKey,

  async run({ request, key, hsm, lifecycle, limits }) {
    const { context, numberOfBytes } = prepareDataKey({ request, key })
    const spent = await lifecycle.spendMessage(key)
    const dataKey = await hsm.generateDataKey(spent, { numberOfBytes, context }, limits)
    return { ...dataKey, keyId: key.arn, keyMaterialId: currentBackingKey(spent).materialId }
  },
})

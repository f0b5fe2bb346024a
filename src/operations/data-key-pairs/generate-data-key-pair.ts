/** GenerateDataKeyPair. */

import { currentBackingKey } from '../../model/key.ts'
import { encryptionKey } from '../crypto/algorithms.ts'
import { refuseRecipient } from '../crypto/recipient.ts'
import { keyById, operation } from '../operation.ts'
import { dataKeyPairConditions, prepareDataKeyPair } from './data-key-pair-rules.ts'

/**
 * Makes a key pair in the token for use outside: its private half as PKCS #8, and the same
 * encrypted under a KMS key.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKeyPair.html
 */
export const GenerateDataKeyPair = operation('GenerateDataKeyPair', {
  needs: { key: keyById({ ...encryptionKey, aliases: true }) },
  changes: false,
  isSlow: true,

  check: (request) => refuseRecipient(request.recipient),

  conditions: dataKeyPairConditions,

  rehearse: prepareDataKeyPair,

  async run({ request, key, hsm, lifecycle, limits }) {
    const input = prepareDataKeyPair({ request, key })
    const spent = await lifecycle.spendMessage(key)
    const pair = await hsm.generateDataKeyPair(spent, input, limits)
    return {
      ...pair,
      keyId: key.arn,
      keyPairSpec: request.keyPairSpec,
      keyMaterialId: currentBackingKey(spent).materialId,
    }
  },
})

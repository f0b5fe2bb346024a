/** GenerateDataKeyPairWithoutPlaintext. */

import { currentBackingKey } from '../../model/key.ts'
import { encryptionKey } from '../crypto/algorithms.ts'
import { keyById, operation } from '../operation.ts'
import { dataKeyPairConditions, prepareDataKeyPair } from './data-key-pair-rules.ts'

/**
 * Makes a key pair in the token for use outside, and answers its private half encrypted only: in
 * plaintext it is never in a door's memory.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKeyPairWithoutPlaintext.html
 */
export const GenerateDataKeyPairWithoutPlaintext = operation(
  'GenerateDataKeyPairWithoutPlaintext',
  {
    needs: { key: keyById({ ...encryptionKey, aliases: true }) },
    changes: false,
    isSlow: true,

    conditions: dataKeyPairConditions,

    rehearse: prepareDataKeyPair,

    async run({ request, key, hsm, lifecycle, limits }) {
      const input = prepareDataKeyPair({ request, key })
      const spent = await lifecycle.spendMessage(key)
      const pair = await hsm.generateDataKeyPairWithoutPlaintext(spent, input, limits)
      return {
        ...pair,
        keyId: key.arn,
        keyPairSpec: request.keyPairSpec,
        keyMaterialId: currentBackingKey(spent).materialId,
      }
    },
  },
)

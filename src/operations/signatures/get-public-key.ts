/** GetPublicKey. */

import { fail } from '../../model/failures.ts'
import { isPair } from '../../model/key-specs.ts'
import { algorithmsOf } from '../keys/key-metadata.ts'
import { enabled, keyById, operation } from '../operation.ts'
import { spkiOf } from './public-half.ts'

/**
 * Gives the public half of a key.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_GetPublicKey.html
 */
export const GetPublicKey = operation('GetPublicKey', {
  needs: { key: keyById({ aliases: true, states: enabled, grantable: true }) },
  changes: false,

  async run({ key }) {
    if (!isPair(key.spec)) {
      fail('UnsupportedOperationException', `${key.arn} has no public key: it is ${key.spec}.`)
    }
    const { encryptionAlgorithms, signingAlgorithms, keyAgreementAlgorithms } = algorithmsOf(key)
    return {
      keyId: key.arn,
      publicKey: spkiOf(key),
      customerMasterKeySpec: key.spec,
      keySpec: key.spec,
      keyUsage: key.usage,
      encryptionAlgorithms,
      signingAlgorithms,
      keyAgreementAlgorithms,
    }
  },
})

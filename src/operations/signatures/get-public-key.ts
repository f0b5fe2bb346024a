/** GetPublicKey. */

import { fail } from '../../model/failures.ts'
import type { Key } from '../../model/key.ts'
import { isPair } from '../../model/key-specs.ts'
import { algorithmsOf } from '../keys/key-metadata.ts'
import { enabled, keyById, operation } from '../operation.ts'
import { spkiOf } from './public-half.ts'

/**
 * Gives the public half of a key.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_GetPublicKey.html
 */
export const GetPublicKey = operation('GetPublicKey', {
  needs: {
    key: keyById({ aliases: true, checkKind: checkIsPair, states: enabled, grantable: true }),
  },
  changes: false,

  async run({ key }) {
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

/** @throws KmsError UnsupportedOperationException for a key that is no pair. */
function checkIsPair({ arn, spec }: Key): void {
  if (!isPair(spec))
    fail('UnsupportedOperationException', `${arn} has no public key: it is ${spec}.`)
}

/** Verify. */

import { verifiesSignature } from '../../model/asymmetric/verify.ts'
import { fail } from '../../model/failures.ts'
import { keyById, operation } from '../operation.ts'
import { publicKeyOf } from './public-half.ts'
import { prepare, signingConditions, signingKey } from './signing-rules.ts'

/**
 * Verifies a signature with the public half of a key, which needs no token.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_Verify.html
 */
export const Verify = operation('Verify', {
  needs: { key: keyById({ ...signingKey, aliases: true }) },
  changes: false,

  conditions: signingConditions,

  rehearse({ request, key }) {
    prepare(key, request)
  },

  async run({ request, key }) {
    const { algorithm, ...input } = prepare(key, request)
    if (!verifiesSignature(publicKeyOf(key), algorithm, input, request.signature)) {
      fail('KMSInvalidSignatureException', 'The signature is not valid.')
    }
    return { keyId: key.arn, signatureValid: true, signingAlgorithm: algorithm }
  },
})

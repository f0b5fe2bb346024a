/** Sign. */

import { keyById, operation } from '../operation.ts'
import { prepare, signingConditions, signingKey } from './signing-rules.ts'

/**
 * Signs a message, or its digest, with a private key that never leaves the HSM.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html
 */
export const Sign = operation('Sign', {
  needs: { key: keyById({ ...signingKey, aliases: true }) },
  changes: false,

  conditions: signingConditions,

  rehearse({ request, key }) {
    prepare(key, request)
  },

  async run({ request, key, hsm, limits }) {
    const input = prepare(key, request)
    const signature = await hsm.sign(key, input, limits)
    return { keyId: key.arn, signature, signingAlgorithm: input.algorithm }
  },
})

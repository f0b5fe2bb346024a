/** GenerateRandom. */

import { fail } from '../../model/failures.ts'
import { account, operation } from '../operation.ts'
import { refuseRecipient } from './recipient.ts'

/**
 * Makes random bytes in the token.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateRandom.html
 */
export const GenerateRandom = operation('GenerateRandom', {
  needs: { account: account() },
  changes: false,

  check({ customKeyStoreId, recipient }) {
    refuseRecipient(recipient)
    if (customKeyStoreId !== undefined) {
      fail('UnsupportedOperationException', 'This version of keyslot has no custom key stores.')
    }
  },

  async run({ request, hsm, limits }) {
    return { plaintext: await hsm.generateRandom(request.numberOfBytes ?? 0, limits) }
  },
})

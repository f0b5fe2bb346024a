/** Answers to attested recipients, which keyslot does not give. */

import { fail } from '../../model/failures.ts'

/**
 * Refuses a request that names a recipient: without an enclave of AWS there is nobody to attest.
 *
 * @throws KmsError UnsupportedOperationException.
 */
export function refuseRecipient(recipient: object | undefined): void {
  if (recipient !== undefined) {
    fail('UnsupportedOperationException', 'keyslot does not support the Recipient parameter.')
  }
}

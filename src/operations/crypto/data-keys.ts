/** How long a data key is to be. */

import { fail } from '../../model/failures.ts'

interface DataKeyRequest {
  readonly numberOfBytes?: number
  readonly keySpec?: 'AES_128' | 'AES_256'
}

const SPEC_BYTES = { AES_128: 16, AES_256: 32 } as const

/**
 * The length of the data key in bytes.
 *
 * @throws KmsError ValidationException unless exactly one of the two members is given.
 */
export function dataKeyBytes({ numberOfBytes, keySpec }: DataKeyRequest): number {
  if ((numberOfBytes === undefined) === (keySpec === undefined)) {
    fail('ValidationException', 'Please specify either number of bytes or key spec.')
  }
  return keySpec ? SPEC_BYTES[keySpec] : (numberOfBytes ?? 0)
}

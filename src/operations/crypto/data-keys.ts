/** What a request for a data key comes to: how long it is to be, and what it is bound to. */

import type { EncryptionContext } from '../../model/encryption-context.ts'
import { fail } from '../../model/failures.ts'
import type { Key } from '../../model/key.ts'
import { prepare } from './algorithms.ts'

interface DataKeyLength {
  readonly numberOfBytes?: number
  readonly keySpec?: 'AES_128' | 'AES_256'
}

interface DataKeyRequest extends DataKeyLength {
  readonly encryptionContext: EncryptionContext
}

const SPEC_BYTES = { AES_128: 16, AES_256: 32 } as const

/**
 * The length of the data key in bytes.
 *
 * @throws KmsError ValidationException unless exactly one of the two members is given.
 */
export function dataKeyBytes({ numberOfBytes, keySpec }: DataKeyLength): number {
  if ((numberOfBytes === undefined) === (keySpec === undefined)) {
    fail('ValidationException', 'Please specify either number of bytes or key spec.')
  }
  return keySpec ? SPEC_BYTES[keySpec] : (numberOfBytes ?? 0)
}

/**
 * What the HSM is to be asked for.
 *
 * @throws KmsError InvalidKeyUsageException for a key that makes no data keys;
 *   ValidationException for a context that has no canonical form.
 */
export function prepareDataKey({ request, key }: { request: DataKeyRequest; key: Key }) {
  const { context } = prepare(key, { encryptionContext: request.encryptionContext })
  return { numberOfBytes: dataKeyBytes(request), context }
}

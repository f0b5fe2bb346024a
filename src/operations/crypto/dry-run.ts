/** What a request to decrypt must hold, in a dry run and otherwise. */

import { fail } from '../../model/failures.ts'
import type { Key } from '../../model/key.ts'
import { ciphertextOf } from './ciphertext-key.ts'
import { checkLength } from './pairs.ts'

interface CiphertextRequest {
  readonly ciphertextBlob: Buffer
  readonly dryRun: boolean
  readonly dryRunModifiers: readonly string[]
}

/**
 * Refuses a request without a ciphertext, which only a dry run that ignores it may be.
 *
 * @throws KmsError ValidationException.
 */
export function checkCiphertextGiven(request: CiphertextRequest, keyId: string | undefined): void {
  const ignored = ignoresCiphertext(request)
  if (ignored && !request.dryRun) {
    fail('ValidationException', 'DryRunModifiers can be given only with DryRun.')
  }
  if (ignored && keyId === undefined) {
    fail('ValidationException', 'IGNORE_CIPHERTEXT requires the key to be named.')
  }
  if (request.ciphertextBlob.length === 0 && !ignored) {
    fail(
      'ValidationException',
      "1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: " +
        'Member must not be null',
    )
  }
}

/**
 * Refuses the ciphertext of a dry run as far as its header tells; the token is not asked.
 *
 * @throws what `ciphertextOf` throws.
 */
export function checkCiphertext(key: Key, request: CiphertextRequest): void {
  if (ignoresCiphertext(request)) return
  if (key.spec === 'SYMMETRIC_DEFAULT') ciphertextOf(key, request.ciphertextBlob)
  else checkLength(key, request.ciphertextBlob)
}

function ignoresCiphertext({ dryRunModifiers }: CiphertextRequest): boolean {
  return dryRunModifiers.includes('IGNORE_CIPHERTEXT')
}

/** Encrypt. */

import { canonicalContext } from '../../model/encryption-context.ts'
import { keyById, operation } from '../operation.ts'
import { encryptionAlgorithm, encryptionKey } from './algorithms.ts'

/**
 * Encrypts up to 4096 bytes under a key that never leaves the HSM.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html
 */
export const Encrypt = operation('Encrypt', {
  needs: { key: keyById({ ...encryptionKey, aliases: true }) },
  changes: false,

  conditions: (request) => ({
    'kms:EncryptionAlgorithm': request.encryptionAlgorithm,
    'kms:EncryptionContext': request.encryptionContext,
  }),

  async run({ request, key, hsm, lifecycle, limits }) {
    const algorithm = encryptionAlgorithm(key, request.encryptionAlgorithm)
    const context = canonicalContext(request.encryptionContext)
    const spent = await lifecycle.spendMessage(key)
    const input = { plaintext: request.plaintext, context }
    const ciphertextBlob = await hsm.encrypt(spent, input, limits)
    return { ciphertextBlob, keyId: key.arn, encryptionAlgorithm: algorithm }
  },
})

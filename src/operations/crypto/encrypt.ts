/** Encrypt. */

import { keyById, operation } from '../operation.ts'
import { encryptionConditions, encryptionKey, prepare } from './algorithms.ts'
import { encryptWithPublicHalf, isOaep } from './pairs.ts'

/**
 * Encrypts up to 4096 bytes under a key that never leaves the HSM.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html
 */
export const Encrypt = operation('Encrypt', {
  needs: { key: keyById({ ...encryptionKey, aliases: true }) },
  changes: false,

  conditions: encryptionConditions,

  rehearse({ request, key }) {
    const { algorithm } = prepare(key, request)
    if (isOaep(algorithm)) encryptWithPublicHalf(key, algorithm, request.plaintext)
  },

  async run({ request, key, hsm, lifecycle, limits }) {
    const { algorithm, context } = prepare(key, request)
    if (isOaep(algorithm)) {
      const ciphertextBlob = encryptWithPublicHalf(key, algorithm, request.plaintext)
      return { ciphertextBlob, keyId: key.arn, encryptionAlgorithm: algorithm }
    }
    const spent = await lifecycle.spendMessage(key)
    const input = { plaintext: request.plaintext, context }
    const ciphertextBlob = await hsm.encrypt(spent, input, limits)
    return { ciphertextBlob, keyId: key.arn, encryptionAlgorithm: algorithm }
  },
})

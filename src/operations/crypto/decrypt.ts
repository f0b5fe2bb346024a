/** Decrypt. */

import type { Operations } from '../operation.ts'
import { key, operation } from '../operation.ts'
import { encryptionConditions, encryptionKey, prepare } from './algorithms.ts'
import { ciphertextOf, nameOfCiphertextKey } from './ciphertext-key.ts'
import { checkCiphertext, checkCiphertextGiven } from './dry-run.ts'
import { checkLength, isOaep } from './pairs.ts'
import { refuseRecipient } from './recipient.ts'

type Request = Operations['Decrypt']['request']

/**
 * Decrypts what Encrypt or GenerateDataKey made. The key is the one that the ciphertext names; if
 * the request names one too, it must be the same.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html
 */
export const Decrypt = operation('Decrypt', {
  needs: {
    key: key<Request>(
      ({ ciphertextBlob, keyId }) => nameOfCiphertextKey(ciphertextBlob, keyId),
      encryptionKey,
    ),
  },
  changes: false,

  check(request) {
    checkCiphertextGiven(request, request.keyId)
    refuseRecipient(request.recipient)
  },

  conditions: encryptionConditions,

  rehearse({ request, key }) {
    prepare(key, request)
    checkCiphertext(key, request)
  },

  async run({ request, key, hsm, limits }) {
    const { algorithm, context } = prepare(key, request)
    if (isOaep(algorithm)) {
      const { ciphertextBlob } = request
      checkLength(key, ciphertextBlob)
      const plaintext = await hsm.decryptAsymmetric(key, { algorithm, ciphertextBlob }, limits)
      return { keyId: key.arn, plaintext, encryptionAlgorithm: algorithm }
    }
    const { ciphertext, backingKey } = ciphertextOf(key, request.ciphertextBlob)
    const plaintext = await hsm.decrypt(key, { ciphertext, context }, limits)
    return {
      keyId: key.arn,
      plaintext,
      encryptionAlgorithm: algorithm,
      keyMaterialId: backingKey.materialId,
    }
  },
})

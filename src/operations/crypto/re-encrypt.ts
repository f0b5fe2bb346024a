/** ReEncrypt. */

import { canonicalContext } from '../../model/encryption-context.ts'
import { currentBackingKey } from '../../model/key.ts'
import type { Operations } from '../operation.ts'
import { key, operation } from '../operation.ts'
import { encryptionAlgorithm, encryptionKey } from './algorithms.ts'
import { checkCiphertextGiven, ciphertextOf, nameOfCiphertextKey } from './ciphertext-key.ts'

type Request = Operations['ReEncrypt']['request']

/**
 * Decrypts under one key and encrypts under another; the plaintext stays inside the HSM process.
 * Two permissions: one on each key.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_ReEncrypt.html
 */
export const ReEncrypt = operation('ReEncrypt', {
  needs: {
    source: key<Request>(
      ({ ciphertextBlob, sourceKeyId }) => nameOfCiphertextKey(ciphertextBlob, sourceKeyId),
      { ...encryptionKey, permission: 'kms:ReEncryptFrom' },
    ),
    destination: key<Request>(
      ({ destinationKeyId }) => ({ text: destinationKeyId, aliases: true }),
      { ...encryptionKey, permission: 'kms:ReEncryptTo' },
    ),
  },
  changes: false,

  check: (request) => checkCiphertextGiven(request, request.sourceKeyId),

  conditions: (request) => ({
    'kms:EncryptionAlgorithm': request.destinationEncryptionAlgorithm,
    'kms:EncryptionContext': request.destinationEncryptionContext,
  }),

  async run({ request, source, destination, hsm, lifecycle, limits }) {
    const sourceEncryptionAlgorithm = encryptionAlgorithm(source, request.sourceEncryptionAlgorithm)
    const destinationEncryptionAlgorithm = encryptionAlgorithm(
      destination,
      request.destinationEncryptionAlgorithm,
    )
    const { ciphertext, backingKey } = ciphertextOf(source, request.ciphertextBlob)
    const spent = await lifecycle.spendMessage(destination)
    const ciphertextBlob = await hsm.reEncrypt(
      { key: source, ciphertext, context: canonicalContext(request.sourceEncryptionContext) },
      { key: spent, context: canonicalContext(request.destinationEncryptionContext) },
      limits,
    )
    return {
      ciphertextBlob,
      sourceKeyId: source.arn,
      keyId: destination.arn,
      sourceEncryptionAlgorithm,
      destinationEncryptionAlgorithm,
      sourceKeyMaterialId: backingKey.materialId,
      destinationKeyMaterialId: currentBackingKey(spent).materialId,
    }
  },
})

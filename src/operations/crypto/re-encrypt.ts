/** ReEncrypt. */

import { currentBackingKey } from '../../model/key.ts'
import { key, type Operations, operation } from '../operation.ts'
import { encryptionKey } from './algorithms.ts'
import { ciphertextOf, nameOfCiphertextKey } from './ciphertext-key.ts'
import { checkCiphertext, checkCiphertextGiven } from './dry-run.ts'
import { prepareBoth, reEncryptionConditions } from './re-encryption.ts'

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

  conditions: reEncryptionConditions,

  rehearse({ request, source, destination }) {
    prepareBoth(request, source, destination)
    checkCiphertext(source, request)
  },

  async run({ request, source, destination, hsm, lifecycle, limits }) {
    const { from, to } = prepareBoth(request, source, destination)
    const { ciphertext, backingKey } = ciphertextOf(source, request.ciphertextBlob)
    const spent = await lifecycle.spendMessage(destination)
    const ciphertextBlob = await hsm.reEncrypt(
      { key: source, ciphertext, context: from.context },
      { key: spent, context: to.context },
      limits,
    )
    return {
      ciphertextBlob,
      sourceKeyId: source.arn,
      keyId: destination.arn,
      sourceEncryptionAlgorithm: from.algorithm,
      destinationEncryptionAlgorithm: to.algorithm,
      sourceKeyMaterialId: backingKey.materialId,
      destinationKeyMaterialId: currentBackingKey(spent).materialId,
    }
  },
})

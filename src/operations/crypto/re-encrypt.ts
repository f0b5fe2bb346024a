/** ReEncrypt. */

import { currentBackingKey } from '../../model/key.ts'
import { key, type Operations, operation } from '../operation.ts'
import { encryptionKey } from './algorithms.ts'
import { nameOfCiphertextKey } from './ciphertext-key.ts'
import { checkCiphertext, checkCiphertextGiven } from './dry-run.ts'
import { isOaep } from './pairs.ts'
import { prepareBoth, reEncrypted, reEncryptionConditions, sourceOfBlob } from './re-encryption.ts'

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
    const spent = isOaep(to.algorithm) ? destination : await lifecycle.spendMessage(destination)
    const opened = sourceOfBlob(source, from, request.ciphertextBlob)
    const ciphertextBlob = await reEncrypted(hsm, opened, { key: spent, ...to }, limits)
    return {
      ciphertextBlob,
      sourceKeyId: source.arn,
      keyId: destination.arn,
      sourceEncryptionAlgorithm: from.algorithm,
      destinationEncryptionAlgorithm: to.algorithm,
      sourceKeyMaterialId: opened.materialId,
      destinationKeyMaterialId: isOaep(to.algorithm)
        ? undefined
        : currentBackingKey(spent).materialId,
    }
  },
})

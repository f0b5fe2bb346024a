/** DeriveSharedSecret. */

import { peerPoint } from '../../model/asymmetric/agreement.ts'
import { fail } from '../../model/failures.ts'
import type { Key } from '../../model/key.ts'
import { materialOf } from '../../model/key-specs.ts'
import { refuseRecipient } from '../crypto/recipient.ts'
import { enabled, keyById, operation } from '../operation.ts'

/**
 * Agrees on a secret with the owner of another key, by a private key that never leaves the HSM.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_DeriveSharedSecret.html
 */
export const DeriveSharedSecret = operation('DeriveSharedSecret', {
  needs: {
    key: keyById({ aliases: true, states: enabled, usage: 'KEY_AGREEMENT', grantable: true }),
  },
  changes: false,

  check: (request) => refuseRecipient(request.recipient),

  conditions: ({ keyAgreementAlgorithm }) => ({
    'kms:KeyAgreementAlgorithm': keyAgreementAlgorithm,
  }),

  rehearse({ request, key }) {
    pointOf(key, request.publicKey)
  },

  async run({ request, key, hsm, limits }) {
    const point = pointOf(key, request.publicKey)
    const sharedSecret = await hsm.deriveSharedSecret(key, point, limits)
    return {
      keyId: key.arn,
      sharedSecret,
      keyAgreementAlgorithm: 'ECDH',
      keyOrigin: key.origin,
    }
  },
})

/** @throws KmsError ValidationException for anything but a public key on the key's curve. */
function pointOf({ spec }: Key, publicKey: Buffer): Buffer {
  const material = materialOf(spec)
  if (material.type !== 'EC') fail('InvalidKeyUsageException', `${spec} keys do not agree.`)
  return peerPoint(publicKey, material.curve)
}
